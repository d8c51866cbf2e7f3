# SPDX-License-Identifier: MIT
"""How things stand, and how that is said to people: levels, spans of time, numbers with their nouns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Protocol


class Level(StrEnum):
    """How something stands; ``unknown`` is never taken for well."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Finding(Protocol):
    """What an examination of the machine found."""

    @property
    def name(self) -> str:
        """What was looked at."""
        ...

    @property
    def state(self) -> str:
        """How it is: ok, warn or fail."""
        ...

    @property
    def value(self) -> str:
        """What was seen."""
        ...

    @property
    def fix(self) -> str:
        """What to do about it."""
        ...


def words_of(span: timedelta) -> str:
    """Return a span of time in one unit that people use: 12 seconds, 3 hours."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size, most in (("second", 1, 120), ("minute", 60, 120), ("hour", 3600, 48), ("day", 86400, None)):
        count = seconds // size
        if most is None or count < most:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("days have no bound")


def worst(levels: Iterable[Level]) -> Level:
    """Return the worst of them; well when there are none."""
    order = (Level.OK, Level.UNKNOWN, Level.WARN, Level.FAIL)
    return max(levels, key=order.index, default=Level.OK)


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs to be."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
