# SPDX-License-Identifier: MIT
"""The pulse of a worker: which tasks run, and when one last started or ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pulse:
    """Counts tasks; ``beat`` is where a fresh worker starts from. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._last = time.monotonic()

    @contextmanager
    def task(self) -> Iterator[None]:
        """Count a task while the block runs."""
        self._change(+1)
        try:
            yield
        finally:
            self._change(-1)

    def beat(self) -> None:
        """Start the silence anew."""
        self._change(0)

    def read(self) -> tuple[int, float]:
        """Return how many tasks run, and the seconds since one started or ended."""
        with self._lock:
            return self._running, time.monotonic() - self._last

    def _change(self, by: int) -> None:
        with self._lock:
            self._running += by
            self._last = time.monotonic()
