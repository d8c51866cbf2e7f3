# SPDX-License-Identifier: MIT
"""How pages say days, times and numbers: "4 June 2026", "9:32am", "3 working days left". Instants are told in London's time."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day(on: date | None) -> str:
    """Return a day as people write it."""
    return "" if on is None else f"{on.day} {on:%B %Y}"


def short_day(on: date | None) -> str:
    """Return a day as tables write it, where room is scarce."""
    return "" if on is None else f"{on.day} {on:%b %Y}"


def moment(at: datetime | None) -> str:
    """Return the time of day of an instant, in London."""
    if at is None:
        return ""
    local = at.astimezone(LONDON)
    return f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def instant(at: datetime | None) -> str:
    """Return day and time of an instant, in London."""
    return "" if at is None else f"{day(at.astimezone(LONDON).date())} at {moment(at)}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def nhs_number(digits: str) -> str:
    """Return an NHS number in its groups of 3, 3 and 4."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}" if len(digits) == 10 and digits.isdigit() else digits


def age(months: int | None) -> str:
    """Return an age in years and months."""
    if months is None:
        return "Age not known"
    years, rest = divmod(months, 12)
    parts = [plural(years, "year")] if years else []
    parts += [plural(rest, "month")] if rest or not years else []
    return " ".join(parts)
