# SPDX-License-Identifier: MIT
"""A few threads with a mailbox each behind an asynchronous door: MESH's client waits, and what waits may not hold up other channels."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias, TypeVar

from workers.channels.mesh_protocol import Mailbox, OpenMailbox

T = TypeVar("T")
_Job: TypeAlias = "tuple[Callable[[Mailbox], object], asyncio.Future[object]]"


class MailboxThreads:
    """At most ``size`` threads, made when there is work; they end with the process, whatever they wait for."""

    def __init__(self, open_mailbox: OpenMailbox, *, size: int) -> None:
        self._open, self._size = open_mailbox, size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def run(self, work: Callable[[Mailbox], T]) -> T:
        """Return what ``work`` returns, or raise what it raises; one that is cancelled waits no more, and the work may still be done."""
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if len(self._threads) < self._size:
            self._threads.append(threading.Thread(target=self._run, name="mesh", daemon=True))
            self._threads[-1].start()
        self._jobs.put((work, future))
        return await future  # type: ignore[return-value]  # the future of this very work

    def close(self) -> None:
        """Let each thread end after what it is at."""
        for _ in self._threads:
            self._jobs.put(None)

    def _run(self) -> None:
        mailbox: Mailbox | None = None
        while (job := self._jobs.get()) is not None:
            work, future = job
            if future.cancelled():
                continue
            result: object = None
            fault: Exception | None = None
            try:
                mailbox = mailbox or self._open()
                result = work(mailbox)
            except Exception as error:
                fault = error
            with suppress(RuntimeError):  # the loop has ended, and nobody waits for this any more
                future.get_loop().call_soon_threadsafe(_settle, future, result, fault)
        if mailbox is not None:
            mailbox.close()


def _settle(future: asyncio.Future[object], result: object, fault: Exception | None) -> None:
    if future.done():
        return
    if fault is not None:
        future.set_exception(fault)
    else:
        future.set_result(result)
