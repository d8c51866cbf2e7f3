# SPDX-License-Identifier: MIT
"""Time as a value that is passed in: the only place that reads the system clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class Clock(Protocol):
    """Whatever tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the Clock


def london_day(instant: datetime) -> date:
    """Return the calendar day in London on which ``instant`` falls (design decision: the law's days are London's)."""
    return instant.astimezone(LONDON).date()
