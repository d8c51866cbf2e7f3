# SPDX-License-Identifier: MIT
"""The lines of a request's body as they arrive (https://github.com/ndjson/ndjson-spec): bounded in length, in time and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.types import Message

from notify_gateway.api.http import BODY_WITHIN, TimedOut
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.use_cases.bulk import PAUSE, Answered, Item, Line

PAUSE_AFTER = 2.0
"""Seconds of silence after which a sender is taken to wait for answers."""
_BLANK = b" \t\r"


class SenderGone(Exception):
    """The sender has closed the connection: there is nobody left to answer."""


class Lines:
    """The lines of one request, each of at most ``most`` bytes. Holds no more than one line and what arrived with its end."""

    def __init__(self, request: Request, most: int) -> None:
        self._receive = request.receive
        self._most = most
        self._number = 0
        self._line = bytearray()
        self._too_long = False
        self.ended = False
        """True once the request was read to its end."""

    async def items(self) -> AsyncIterator[Item]:
        """Yield each line that is not blank, without its line end; the answer to one that is too long, and skipped; a pause.

        Raises ``TimedOut`` when a line does not arrive within ``BODY_WITHIN`` seconds, and ``SenderGone``.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        more = True
        while more:
            message = await self._arrival(began + BODY_WITHIN - loop.time())
            if message is None:
                yield PAUSE
                continue
            more = message.get("more_body", False)
            chunk: bytes = message.get("body", b"")
            start = 0
            while (end := chunk.find(b"\n", start)) >= 0:
                self._add(chunk[start:end])
                start = end + 1
                if (item := self._whole()) is not None:
                    yield item
                    # Counted anew from here: while the line found no room, its sender could not send.
                    began = loop.time()
            self._add(chunk[start:])
        self.ended = True
        if (item := self._whole()) is not None:
            yield item

    async def _arrival(self, within: float) -> Message | None:
        """Return what arrives next, or None after ``PAUSE_AFTER`` seconds of silence; raises ``TimedOut`` when nothing came in time."""
        if within <= 0:
            raise TimedOut(Issue(Code.TIMEOUT))
        try:
            async with asyncio.timeout(min(within, PAUSE_AFTER)):
                message = await self._receive()
        except TimeoutError:
            return None
        if message["type"] != "http.request":
            raise SenderGone
        return message

    def _add(self, piece: bytes) -> None:
        # The line end may be two characters. Of a line that is too long nothing is held.
        self._too_long = self._too_long or len(self._line) + len(piece) > self._most + 1
        if self._too_long:
            self._line.clear()
        else:
            self._line += piece

    def _whole(self) -> Item | None:
        self._number += 1
        body, too_long = bytes(self._line).strip(_BLANK), self._too_long
        self._line.clear()
        self._too_long = False
        if too_long or len(body) > self._most:
            return Answered(self._number, error=Refused(Issue(Code.BODY_TOO_LARGE)))
        return Line(self._number, PrivateBytes(body)) if body else None
