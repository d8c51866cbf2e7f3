# SPDX-License-Identifier: MIT
"""Keeps a process that handles identity out of core dumps and away from other processes' debuggers (prctl(2), setrlimit(2))."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class MemoryGuard:
    """What was achieved; what was not is for the operator to know, not a reason to stop."""

    no_core_dumps: bool
    not_dumpable: bool

    def __str__(self) -> str:
        """Say it in a sentence for the start-up log."""
        core = "core dumps are off" if self.no_core_dumps else "core dumps could not be turned off"
        reading = (
            "other processes of this user cannot read its memory" if self.not_dumpable else "memory is readable by this user's processes"
        )
        return f"{core}; {reading}"


def guard_memory() -> MemoryGuard:
    """Turn off core dumps and, on Linux, mark the process not dumpable; never fails, and says what it achieved.

    Python cannot wipe its strings, and swap is the system's business: run with swap off or encrypted.
    """
    return MemoryGuard(no_core_dumps=_no_core_dumps(), not_dumpable=_not_dumpable())


def _no_core_dumps() -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return True


def _not_dumpable() -> bool:
    if sys.platform != "linux":
        return False
    try:
        return int(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0
    except (OSError, AttributeError):
        return False
