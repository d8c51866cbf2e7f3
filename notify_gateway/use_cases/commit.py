# SPDX-License-Identifier: MIT
"""Group commit at the door: what arrives together is committed together, and each caller is answered after its own group is durable."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeAlias

import structlog

from audit.log import Appended
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Unavailable
from notify_gateway.store.acceptance import Acceptance, Outcome
from notify_gateway.store.group_commit import commit_group
from notify_gateway.telemetry.metrics import COMMIT_SECONDS, COMMIT_SIZE
from notify_gateway.telemetry.tracing import Act, span
from notify_gateway.use_cases.gateway import Gateway

LOG = structlog.get_logger(__name__)

Item: TypeAlias = Acceptance | Appended

GATHER_WITHIN = 0.03
"""Longest wait, in seconds, for those who are on their way to a commit."""
COMING_BACK_WITHIN = 0.004
"""Longest further wait, in seconds, while fewer are here than were at work together of late: who was just answered sends again."""
MOST_WAITING = 4096
"""Acceptances that may wait for the committer; beyond this the door says that it is overloaded instead of holding ever more in memory."""


FORGETTING = 0.98
"""What is left, after each commit, of the number of requests that were at work together."""


class Expected:
    """A request that is on its way to the committer, from its arrival until it is there or has ended."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[Expected], None]) -> None:
        self._end = end

    def is_here(self) -> None:
        """It need not be waited for any longer. Safe to call twice."""
        self._end(self)


class Committer:
    """One thread that commits what is waiting, together with what has just arrived at the door.

    A commit costs nearly the same for one as for many, so it waits for those who are on their way: not at all when nobody is, never longer
    than ``GATHER_WITHIN``, and not for anybody who arrived longer ago than that. Where more were at work together of late, it waits
    ``COMING_BACK_WITHIN`` for them to come back; a client that is alone is never waited for.
    """

    def __init__(self, gateway: Gateway, *, on_commit: Callable[[], None] = lambda: None) -> None:
        self._gateway = gateway
        self._on_commit = on_commit
        self._waiting: deque[tuple[Item, Future[Outcome | None]]] = deque()
        self._expected: dict[Expected, float] = {}
        self._at_work = 0
        self._usual = 0.0
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Begin committing."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what is waiting, then end. Nothing is taken in from now on."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    @contextmanager
    def expecting(self) -> Iterator[Expected]:
        """Tell that a request has arrived that may have something to commit."""
        expected = Expected(self._end_expecting)
        with self._changed:
            self._at_work += 1
            self._usual = max(self._usual, self._at_work)
            self._expected[expected] = time.monotonic()
            self._changed.notify()
        try:
            yield expected
        finally:
            expected.is_here()
            self._at_work -= 1

    def _end_expecting(self, expected: Expected) -> None:
        if self._expected.pop(expected, None) is not None:
            with self._changed:
                self._changed.notify()

    def _all_are_here(self) -> bool:
        newest = next(reversed(list(self._expected.values())), None)
        gathered = newest is None or time.monotonic() - newest > GATHER_WITHIN
        return gathered or self._stopping or len(self._waiting) >= self._gateway.settings.commit_group

    def _gather(self) -> None:
        """Wait for those on their way, and where fewer are here than were of late, a moment for those who were answered by the last commit.

        Without it, clients that send in turn fall into two groups that take turns, and everybody pays for twice as many commits.
        """
        self._changed.wait_for(self._all_are_here, timeout=GATHER_WITHIN)
        if len(self._waiting) < self._usual:
            self._changed.wait_for(lambda: self._expected or len(self._waiting) >= self._usual, timeout=COMING_BACK_WITHIN)
            self._changed.wait_for(self._all_are_here, timeout=GATHER_WITHIN)
        self._usual *= FORGETTING

    async def accept(self, acceptance: Acceptance) -> Outcome:
        """Return the outcome once it is durable.

        Raises ``Unavailable`` when it is not known to be: the sender may send the same message again, which is then a duplicate or an
        acceptance, never both.
        """
        outcome = await asyncio.shield(asyncio.wrap_future(self._put(acceptance)))
        if outcome is None:
            raise Unavailable(Code.DATABASE_UNAVAILABLE)
        return outcome

    async def refuse(self, leaf: Appended) -> None:
        """Return once the audit entry of a refusal is durable; raises ``Unavailable`` when it is not known to be."""
        await asyncio.shield(asyncio.wrap_future(self._put(leaf)))

    def _put(self, item: Item) -> Future[Outcome | None]:
        future: Future[Outcome | None] = Future()
        with self._changed:
            if self._stopping or len(self._waiting) >= MOST_WAITING:
                raise Unavailable(Code.OVERLOADED, retry_after=2)
            self._waiting.append((item, future))
            self._changed.notify()
        return future

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                self._gather()
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._gateway.settings.commit_group))]
            # A caller that has gone away is not waited for; what is taken from here on can no longer be called back.
            if group := [(item, future) for item, future in taken if future.set_running_or_notify_cancel()]:
                self._commit(group)

    def _commit(self, group: list[tuple[Item, Future[Outcome | None]]]) -> None:
        acceptances = [(item, future) for item, future in group if isinstance(item, Acceptance)]
        refusals = [(item, future) for item, future in group if isinstance(item, Appended)]
        began = time.perf_counter()
        try:
            with span(Act.COMMIT_GROUP, count=len(group)):
                outcomes = commit_group(
                    self._gateway.engine,
                    self._gateway.shred_engine,
                    [item for item, _ in acceptances],
                    [item for item, _ in refusals],
                )
        except Exception as error:  # whatever the database said, the callers must hear that nothing is known to be kept
            # The driver's text may quote a row, so only the kind of the error is logged.
            LOG.error("commit-failed", error=type(error).__name__, size=len(group))
            for _, future in group:
                future.set_exception(Unavailable(Code.DATABASE_UNAVAILABLE))
            return
        committed = time.perf_counter()
        for (_, future), outcome in zip(acceptances, outcomes, strict=True):
            future.set_result(outcome)
        for _, future in refusals:
            future.set_result(None)
        COMMIT_SIZE.observe(len(group))
        COMMIT_SECONDS.observe(committed - began)
        self._on_commit()
