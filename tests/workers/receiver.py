# SPDX-License-Identifier: MIT
"""A real receiver on loopback that behaves, or misbehaves as its path says, and remembers what it got."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import struct
import threading
from collections import Counter
from typing import Any

from aiohttp import web


class Receiver:
    """An aiohttp server in a thread of its own; ``/good`` confirms, every other path is a way to fail."""

    def __init__(self, *, trust: ssl.SSLContext | None = None) -> None:
        self.posts: Counter[str] = Counter()
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.hosts: set[str] = set()
        self.keep_requests = True
        self.healed: set[str] = set()
        """Paths that behave well from now on."""
        self.under_way = 0
        self.most_under_way = 0
        self._trust = trust
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def url(self, path: str = "good") -> str:
        return f"{'https' if self._trust else 'http'}://127.0.0.1:{self.port}/{path}"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> int:
        app = web.Application(client_max_size=10 * 1024 * 1024)
        app.router.add_post("/{how}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        await web.SockSite(self._runner, listening, ssl_context=self._trust).start()
        return int(listening.getsockname()[1])

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        key = request.headers["Idempotency-Key"]
        how = "good" if request.match_info["how"] in self.healed else request.match_info["how"]
        self.posts[key] += 1
        self.hosts.add(request.headers["Host"])
        if self.keep_requests:
            self.requests.append((request.method, str(request.url), dict(request.headers), body))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await getattr(self, f"_{how.replace('-', '_')}")(request, key, body)
        finally:
            self.under_way -= 1

    @staticmethod
    def _confirmation(key: str, body: bytes) -> dict[str, str]:
        return {"delivery_id": key, "received": hashlib.sha256(body).hexdigest()}

    async def _good(self, _: web.Request, key: str, body: bytes) -> web.Response:
        return web.json_response(self._confirmation(key, body))

    async def _slow(self, _: web.Request, key: str, body: bytes) -> web.Response:
        await asyncio.sleep(0.5)
        return web.json_response(self._confirmation(key, body))

    async def _error(self, *_: Any) -> web.Response:
        return web.Response(status=500, text="<h1>Internal error for Ada Example</h1>")

    async def _busy(self, *_: Any) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "7"})

    async def _busy_until(self, *_: Any) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "Wed, 01 Jan 2025 12:00:30 GMT"})

    async def _busy_nonsense(self, *_: Any) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "soon"})

    async def _busy_forever(self, *_: Any) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "9" * 40})

    async def _reset(self, request: web.Request, *_: Any) -> web.Response:
        assert request.transport is not None
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
        return web.Response()

    async def _hang(self, *_: Any) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def _drip(self, request: web.Request, key: str, body: bytes) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(300):
            await answer.write(b" ")
            await asyncio.sleep(0.1)
        return answer

    async def _half(self, request: web.Request, *_: Any) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b'{"delivery_id"')
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def _not_http(self, request: web.Request, *_: Any) -> web.Response:
        assert request.transport is not None
        request.transport.write(b"HELO there\r\n\r\n")
        request.transport.close()
        return web.Response()

    async def _garbage(self, *_: Any) -> web.Response:
        return web.Response(body=b"\xff\xfe{]")

    async def _list(self, *_: Any) -> web.Response:
        return web.json_response([1, 2])

    async def _empty(self, *_: Any) -> web.Response:
        return web.Response()

    async def _long(self, _: web.Request, key: str, body: bytes) -> web.Response:
        return web.json_response(self._confirmation(key, body) | {"padding": "x" * 40_000})

    async def _bomb(self, _: web.Request, key: str, body: bytes) -> web.Response:
        answer = web.json_response(self._confirmation(key, body))
        answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def _redirect(self, *_: Any) -> web.Response:
        return web.Response(status=307, headers={"Location": self.url()})

    async def _wrong_digest(self, _: web.Request, key: str, body: bytes) -> web.Response:
        return web.json_response(self._confirmation(key, body + b" "))

    async def _wrong_delivery(self, _: web.Request, key: str, body: bytes) -> web.Response:
        return web.json_response(self._confirmation("00000000-0000-4000-8000-000000000000", body))

    async def _accepted(self, _: web.Request, key: str, body: bytes) -> web.Response:
        return web.json_response(self._confirmation(key, body), status=202)

    async def _twice(self, request: web.Request, key: str, body: bytes) -> web.Response:
        good = web.json_response(self._confirmation(key, body))
        assert request.transport is not None
        assert isinstance(good.body, bytes)
        once = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(good.body), good.body)
        request.transport.write(once + once)
        return good
