# SPDX-License-Identifier: MIT
"""An export as an answer: a page at a time, and broken off in good order when the reader goes away or does not read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

import structlog
from fastapi import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

LOG = structlog.get_logger(__name__)

NDJSON = "application/x-ndjson"
TAKEN_WITHIN = 60.0
"""Seconds within which a reader must take a page."""


class Paged(Protocol):
    """What is handed over page by page."""

    def page(self) -> list[bytes]:
        """Return the next lines, without their ends, or the next bytes; none when there are no more."""
        ...

    def end(self, *, whole: bool) -> None:
        """Take note of how it ended."""
        ...


class ExportResponse(Response):
    """The lines of an export; without ``lines`` its bytes. How it ended is recorded: whole only if the reader was there to the end."""

    def __init__(self, export: Paged, *, media_type: str = NDJSON, lines: bool = True, headers: Mapping[str, str] | None = None) -> None:
        # A proxy that would hold answers back is asked not to.
        super().__init__(b"", 200, {"X-Accel-Buffering": "no", **(headers or {})}, media_type=media_type)
        self._export, self._between = export, b"\n" if lines else b""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines, each page as soon as it is read."""
        headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        gone = asyncio.create_task(_until_gone(receive))
        whole = False
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while not gone.done() and (page := await asyncio.to_thread(self._export.page)):
                await _send_within(send, self._between.join([*page, b""]))
            whole = not gone.done()
        except TimeoutError:
            LOG.warning("export-not-taken")
        finally:
            gone.cancel()
            # What the database cannot take now is settled by the sweeper.
            with suppress(SQLAlchemyError):
                await asyncio.shield(asyncio.to_thread(self._export.end, whole=whole))
        # An answer that broke off is not ended either, so that the reader sees it.
        if whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_within(send: Send, body: bytes) -> None:
    async with asyncio.timeout(TAKEN_WITHIN):
        await send({"type": "http.response.body", "body": body, "more_body": True})
