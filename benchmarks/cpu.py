# SPDX-License-Identifier: MIT
"""CPU time of whole process trees."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import psutil


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds (user and system) that a process and all that it started, ended ones included, have used so far."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # one that ends now is counted with its parent's ended children at the next look
            total += sum(process.cpu_times()[:4])
    return total


class Meter:
    """CPU seconds by part of a system, from its making on."""

    def __init__(self, parts: Mapping[str, list[int]]) -> None:
        """Take the process ids of each part."""
        self._parts = parts
        self._before = self._read()

    def used(self) -> dict[str, float]:
        """Return the CPU seconds that each part has used."""
        return {name: after - self._before[name] for name, after in self._read().items()}

    def _read(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, pids)) for name, pids in self._parts.items()}
