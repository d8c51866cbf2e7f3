# SPDX-License-Identifier: MIT
"""A TCP proxy between two parts, which may be slow, cut, silent or stingy while it runs; it may end TLS on the way."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

SLICE = 97
"""Bytes of one piece, when what passes is sliced: less than most headers of the protocols here."""


class Wire:
    """Listens on ``port`` of 127.0.0.1 and passes everything on to the ``target`` port there. Its faults may be had together.

    ``tls`` is what callers meet; behind it the traffic goes on in the clear.
    """

    def __init__(self, target: int, *, tls: ssl.SSLContext | None = None) -> None:
        self.target, self.tls = target, tls
        self.delay = 0.0
        self.sliced = False
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0
        self._do(self._listen())

    def cut(self) -> None:
        """Break all connections that are open, without a word."""
        self._do(self._cut())

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nothing listens."""
        self._do(self._deafen())
        try:
            yield
        finally:
            self._do(self._listen())

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Connections open and stay, and nothing comes through; afterwards all of it does, as TCP would send it again."""
        self._loop.call_soon_threadsafe(self._flowing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        """Stop for good."""
        self._do(self._deafen())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _do(self, act: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(act, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port, ssl=self.tls, backlog=1024)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _deafen(self) -> None:
        self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        await self._flowing.wait()
        if writer.transport.is_closing():
            return
        try:
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, onward_writer}
        self._open |= both
        try:
            await asyncio.gather(self._pump(reader, onward_writer), self._pump(onward_reader, writer))
        finally:
            self._open -= both
            for each in both:
                each.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                await asyncio.sleep(self.delay)
                for piece in _slices(data) if self.sliced else (data,):
                    await self._flowing.wait()
                    sink.write(piece)
                    await sink.drain()
                    if self.sliced:
                        await asyncio.sleep(0)
        with suppress(OSError, RuntimeError):
            if sink.can_write_eof():
                sink.write_eof()
            else:
                sink.close()


def _slices(data: bytes) -> Iterator[bytes]:
    return (data[start : start + SLICE] for start in range(0, len(data), SLICE))
