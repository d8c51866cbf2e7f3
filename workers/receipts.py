# SPDX-License-Identifier: MIT
"""What authorities say they have of what was put down by SFTP: files in their ``acks`` folder are read, recorded, and then taken away.

What stands there was written by others: names, sizes, numbers and contents are bounded, and nothing of them is believed but a delivery's id
and the digest of its document, which must be right. A receipt that is not is renamed to ``….refused``, so that its writer sees it.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

import structlog

from notify_gateway.domain.route import Route
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.look_for_receipts import looked, servers_due
from workers.channels.sftp import SftpAccess

if TYPE_CHECKING:
    from workers.channels.sftp_receipts import Seen

TICK: Final = 2.0
"""Seconds between two questions to the database whether a look is due."""
AT_ONCE: Final = 8
"""Servers that are looked at at once."""

_log = structlog.get_logger("workers.receipts")


class ReceiptPoller:
    """Looks, until ``stop`` is set, at each server that is due; a server that is away or hangs delays no other by more than its timeout."""

    def __init__(self, core: Core, access: SftpAccess, stop: threading.Event, *, tick: float = TICK) -> None:
        self._core, self._access, self._stop, self._tick = core, access, stop, tick
        self._seen: dict[str, Seen] = {}
        self._faulty = False

    def run(self) -> None:
        """Look until ``stop`` is set; survives every fault of database and servers."""
        while not self._stop.wait(self._tick):
            try:
                self.look()
            except Exception as error:
                if not self._faulty:
                    _log.warning("receipts-faulty", error=type(error).__name__)
                self._faulty = True
            else:
                self._faulty = False

    def look(self) -> int:
        """Look at the servers that are due and return how many deliveries are now known to be held; raises what the database raises."""
        due = servers_due(self._core)
        return asyncio.run(self._look_at_all(due)) if due else 0

    async def _look_at_all(self, due: dict[str, Route]) -> int:
        slots = asyncio.Semaphore(AT_ONCE)

        async def look_at(authority: str, route: Route) -> int:
            async with slots:
                return await self._look_at(authority, route)

        return sum(await asyncio.gather(*(look_at(authority, route) for authority, route in due.items())))

    async def _look_at(self, authority: str, route: Route) -> int:
        # What speaks SSH is loaded when there is somebody to speak to.
        from workers.channels.sftp_link import code_of, link
        from workers.channels.sftp_receipts import Receipts

        code, more, held = "looked", False, 0
        try:
            async with link(route, self._access) as sftp:
                receipts = Receipts(self._core, sftp, authority=authority, folder=route["folder"], seconds=self._access.seconds)
                found = await receipts.take(self._seen.get(authority, {}))
            self._seen[authority], more, held = found.unreadable, found.more, found.held
            if found.refused:
                code = "receipts-refused"
        except Exception as error:
            code = code_of(error)
            if code == "unexpected":
                _log.error("receipts-unexpected", authority=authority, error=type(error).__name__)
        if await asyncio.to_thread(looked, self._core, authority=authority, code=code, more=more) and code != "looked":
            _log.warning("receipts-not-read", authority=authority, code=code)
        if held:
            _log.info("receipts-recorded", authority=authority, count=held)
        return held
