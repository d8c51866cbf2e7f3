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
from workers.channels.sftp import Abortable, SftpAccess

if TYPE_CHECKING:
    from workers.channels.sftp_receipts import Seen

TICK: Final = 2.0
"""Seconds between two questions to the database whether a look is due."""
AT_ONCE: Final = 8
"""Servers that are looked at at once."""
LOOK_WITHIN: Final = 60.0
"""Seconds for one look; what was recorded by then is, and the rest is read by the next."""

_log = structlog.get_logger("workers.receipts")


class ReceiptPoller:
    """Looks, until ``stop`` is set, at each server that is due, at each in a task of its own: one that is slow or hangs delays no other."""

    def __init__(self, core: Core, access: SftpAccess, stop: threading.Event, *, tick: float = TICK) -> None:
        self._core, self._access, self._stop, self._tick = core, access, stop, tick
        self._seen: dict[str, Seen] = {}
        self._opened: set[Abortable] = set()
        self._faulty = False

    def run(self) -> None:
        """Look until ``stop`` is set; survives every fault of database and servers. What is under way then is broken off."""
        asyncio.run(self._run())

    def look(self) -> int:
        """Look at the servers that are due and return how many deliveries are now known to be held; raises what the database raises."""

        async def once(due: dict[str, Route]) -> int:
            return sum(await asyncio.gather(*(self._look_at(authority, route) for authority, route in due.items())))

        return asyncio.run(once(servers_due(self._core)))

    async def _run(self) -> None:
        slots, looks = asyncio.Semaphore(AT_ONCE), dict[str, asyncio.Task[None]]()

        async def look_at(authority: str, route: Route) -> None:
            async with slots:
                try:
                    await self._look_at(authority, route)
                except Exception as error:
                    self._tell(error)

        while not await asyncio.to_thread(self._stop.wait, self._tick):
            looks = {authority: look for authority, look in looks.items() if not look.done()}
            try:
                due = await asyncio.to_thread(servers_due, self._core)
            except Exception as error:
                self._tell(error)
                continue
            self._faulty = False
            for authority, route in due.items():
                if authority not in looks:
                    looks[authority] = asyncio.create_task(look_at(authority, route))
        for look in looks.values():
            look.cancel()
        for connection in list(self._opened):
            connection.abort()
        # Before the loop ends, which would end what the library needs to let go of its files.
        await asyncio.gather(*looks.values(), return_exceptions=True)

    def _tell(self, error: Exception) -> None:
        """Tell of a fault of the database, once until it has healed."""
        if not self._faulty:
            _log.warning("receipts-faulty", error=type(error).__name__)
        self._faulty = True

    async def _look_at(self, authority: str, route: Route) -> int:
        # What speaks SSH is loaded when there is somebody to speak to.
        from workers.channels.sftp_link import code_of, link
        from workers.channels.sftp_receipts import Receipts

        code, more, held = "looked", False, 0
        try:
            async with asyncio.timeout(LOOK_WITHIN), link(route, self._access, self._opened) as sftp:
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
