# SPDX-License-Identifier: MIT
"""The watchdog: a worker that is connected, yet takes nothing while hints wait, ends itself, and its supervisor starts it anew.

After a broker restart a Celery worker may hold a connection and never consume again (Celery issues 8030, 8091, 8990, 9054). So it is
consumption that is watched, not the connection.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import structlog

from workers.pulse import Pulse

EXIT_STATUS = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong that a new start does not heal

_log = structlog.get_logger("workers.watchdog")


def end_process() -> None:
    """End this process at once, whatever its threads are stuck in."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_STATUS)


class Watchdog:
    """Ends the process when hints have waited and none was taken for ``patience`` seconds.

    ``waiting`` returns the length of the queue and raises ``OSError`` while the broker does not answer: then, and while nothing waits, the
    silence starts anew. While tasks run and none ends, ``patience_busy`` holds.
    """

    def __init__(
        self,
        waiting: Callable[[], int],
        pulse: Pulse,
        *,
        patience: float = 6.0,
        patience_busy: float = 120.0,
        end: Callable[[], None] = end_process,
    ) -> None:
        self._waiting, self._pulse, self._end = waiting, pulse, end
        self._patience, self._patience_busy = patience, patience_busy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start watching; calling it again, as a reconnected worker does, changes nothing."""
        if not self._thread.is_alive() and not self._stop.is_set():
            self._pulse.beat()
            self._thread.start()

    def stop(self) -> None:
        """Stop watching, for a worker that drains takes nothing and is right to."""
        self._stop.set()

    def _watch(self) -> None:
        every = self._patience / 12
        quiet_looks = 0.0
        while not self._stop.wait(every):
            quiet_looks = quiet_looks + every if self._hints_wait() else 0.0
            running, silence = self._pulse.read()
            silence = min(silence, quiet_looks)
            if silence >= (self._patience_busy if running else self._patience) and not self._stop.is_set():
                _log.critical("worker-does-not-consume", seconds=round(silence, 1), running=running, status=EXIT_STATUS)
                self._end()
                return

    def _hints_wait(self) -> bool:
        try:
            return self._waiting() > 0
        except OSError:
            return False
