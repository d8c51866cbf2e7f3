# SPDX-License-Identifier: MIT
"""The dispatcher: finds what is due in the outbox and hints it. Any number may run; the outbox sees that each hint is given once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from notify_gateway.domain.clock import Clock
from notify_gateway.domain.delivery import Hint
from workers.ports import Outbox

BATCH = 64
LIMIT = 2048
ENOUGH_WAITING = 64
PAUSE = 0.2
PAUSE_BUSY = 0.1
PAUSE_AFTER_FAULT = 1.0

_log = structlog.get_logger("workers.dispatcher")


class Hints(Protocol):
    """Whatever publishes hints."""

    def hint(self, hints: Sequence[Hint]) -> bool:
        """Take the hints without waiting; False when some were dropped."""
        ...


class Dispatcher:
    """Hints what is due, every ``pause`` seconds or at once after ``wake``, until ``stop`` is set; twice as often while there is something,
    for of each authority no more than its share is hinted at a time.

    ``waiting`` (length of the queue) holds it back: while the broker has plenty, or does not answer, nothing is marked as hinted; so a
    backlog is not hinted over and over, and the first look after an outage finds all of it.
    """

    def __init__(
        self,
        outbox: Outbox,
        hinter: Hints,
        clock: Clock,
        stop: threading.Event,
        *,
        waiting: Callable[[], int] = lambda: 0,
        pause: float = PAUSE,
    ) -> None:
        self._outbox, self._hinter, self._clock, self._stop = outbox, hinter, clock, stop
        self._waiting, self._pause = waiting, pause
        self._woken = threading.Event()
        self._faulty = False

    def wake(self) -> None:
        """Look at once: something was committed in this process, or it is time to stop."""
        self._woken.set()

    def run(self) -> None:
        """Dispatch until ``stop`` is set (``wake`` makes that at once); survives every fault of outbox and broker."""
        while not self._stop.is_set():
            self._woken.clear()
            pause = self._pause
            try:
                found = self.look()
                if found >= LIMIT:
                    continue
                if found:
                    pause = min(pause, PAUSE_BUSY)
            except Exception as error:
                self._tell(type(error).__name__)
                pause = PAUSE_AFTER_FAULT
            else:
                self._tell(None)
            self._woken.wait(pause)

    def look(self) -> int:
        """Hint what is due and return how many deliveries that were; raises what outbox or broker raise."""
        if self._waiting() >= ENOUGH_WAITING:
            return 0
        hints = self._outbox.find_due(now=self._clock.now(), limit=LIMIT, batch=BATCH)
        if hints and not self._hinter.hint(hints):
            return 0
        return sum(len(hint.ids) for hint in hints)

    def _tell(self, fault: str | None) -> None:
        if fault is not None and not self._faulty:
            _log.warning("dispatch-faulty", error=fault)
        elif fault is None and self._faulty:
            _log.info("dispatch-healed")
        self._faulty = fault is not None
