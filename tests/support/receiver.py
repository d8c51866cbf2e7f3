# SPDX-License-Identifier: MIT
"""An authority's webhook receiver on loopback: verifies each signature, applies a delivery once by its id, counts every POST."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from workers.channels.reference_receiver import SignatureRefused, verify


class Nonces:
    """Remembers every nonce for the life of a test."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def first_use(self, nonce: str, *, until: datetime) -> bool:
        fresh = nonce not in self._seen
        self._seen.add(nonce)
        return fresh


class RecordingReceiver:
    """Keeps the bytes of each delivery at its first POST (``applied``) and all ``headers``; counts the POSTs of each (``posts``).

    What bears no good signature is counted in ``refused``, by code. ``answer`` may be replaced to misbehave: it is given the number of the
    POST of that delivery and returns the HTTP status to send; the delivery is applied whatever it says, as by a receiver that dies between
    its own commit and its answer.
    """

    def __init__(self) -> None:
        self.applied: dict[str, bytes] = {}
        self.changed: list[str] = []
        self.posts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[int], int] = lambda _: 200
        self.key: Ed25519PublicKey | None = None
        self._nonces = Nonces()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="receiver", daemon=True)
        self._thread.start()
        self.port: int = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/deliveries"

    def close(self) -> None:
        """Stop serving."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> int:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/deliveries", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        await web.SockSite(self._runner, listening).start()
        return int(listening.getsockname()[1])

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.headers.append(dict(request.headers))
        assert self.key is not None
        try:
            verified = verify("POST", self.url, request.headers, body, self.key, self._nonces, datetime.now(UTC))  # noqa: TID251
        except SignatureRefused as refused:
            self.refused[refused.code] += 1
            return web.Response(status=401)
        told = json.loads(body)["delivery_id"]
        if told != verified.delivery_id:
            self.refused["another-id"] += 1
            return web.Response(status=401)
        self.posts[told] += 1
        if self.applied.setdefault(told, body) != body:
            self.changed.append(told)
        status = self.answer(self.posts[told])
        if status != 200:
            return web.Response(status=status)
        return web.json_response({"delivery_id": told, "received": hashlib.sha256(body).hexdigest()})
