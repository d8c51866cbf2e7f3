# SPDX-License-Identifier: MIT
"""Working days in England: Monday to Friday without bank holidays (https://www.gov.uk/bank-holidays, England and Wales)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from mappings.tables import Problem, read_table

_DAY = timedelta(days=1)
_SATURDAY = 5
_USUAL = 8
_WARN_AHEAD = timedelta(days=270)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The bank holidays that are known, by day, and the last year of which all are."""

    version: str
    holidays: Mapping[date, str]
    known_through: int

    @classmethod
    def load(cls) -> Calendar:
        """Return the packaged calendar; it is read once and shared."""
        return _packaged()

    def is_working_day(self, day: date) -> bool:
        """Tell whether the day is neither on a weekend nor a bank holiday; behind the known years only weekends are left out."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def after(self, day: date, count: int) -> date:
        """Return the ``count``-th working day after ``day``, or with 0 the day itself."""
        while count > 0:
            day += _DAY
            count -= self.is_working_day(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Return how many working days come after ``start`` up to ``end``, which counts; 0 where there are none."""
        if end <= start:
            return 0
        weeks, rest = divmod((end - start).days, 7)
        days = weeks * 5 + sum((start + _DAY * each).weekday() < _SATURDAY for each in range(1, rest + 1))
        free = sorted(self.holidays)
        return days - (bisect_right(free, end) - bisect_right(free, start))

    def last_working_day(self, day: date) -> date:
        """Return the day itself where it is a working day, else the last one before it."""
        while not self.is_working_day(day):
            day -= _DAY
        return day


def check(on: date, calendar: Calendar | None = None) -> list[Problem]:
    """Return what is wrong with the calendar on a day: a holiday on a weekend, a year with too few, and years that run out."""
    calendar = calendar or Calendar.load()
    problems = [
        Problem("bank_holidays", day.isoformat(), "is on a weekend, and so no day off")
        for day in calendar.holidays
        if day.weekday() >= _SATURDAY
    ]
    counts = Counter(day.year for day in calendar.holidays)
    problems += [Problem("bank_holidays", str(year), "has fewer than eight") for year in sorted(counts) if counts[year] < _USUAL]
    if (on + _WARN_AHEAD).year > calendar.known_through:
        problems.append(Problem("bank_holidays", str(calendar.known_through), "is the last year that is known: bring the table up to date"))
    return problems


@cache
def _packaged() -> Calendar:
    table = read_table("bank_holidays")
    holidays = {date.fromisoformat(row["day"]): row["label"] for row in table.rows}
    return Calendar(table.version, holidays, max(holidays).year)
