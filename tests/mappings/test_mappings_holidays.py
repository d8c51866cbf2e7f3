# SPDX-License-Identifier: MIT
"""Working days: the packaged bank holidays are those that follow from the Act, and counting goes round them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.holidays import Calendar, check

CALENDAR = Calendar.load()
MONDAY = 0


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Butcher's rule)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def by_the_act(year: int) -> set[date]:
    """Return the bank holidays of a year without exceptional ones; what falls on a weekend is moved to the next working days."""
    sunday = easter(year)
    may = [date(year, 5, day) for day in range(1, 32) if date(year, 5, day).weekday() == MONDAY]
    august = [date(year, 8, day) for day in range(1, 32) if date(year, 8, day).weekday() == MONDAY]
    found = {sunday - timedelta(days=2), sunday + timedelta(days=1), may[0], may[-1], august[-1]}
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while day.weekday() >= 5 or day in found:
            day += timedelta(days=1)
        found.add(day)
    return found


@pytest.mark.parametrize("year", range(2024, 2029))
def test_the_packaged_holidays_are_those_of_the_act(year: int) -> None:
    assert {day for day in CALENDAR.holidays if day.year == year} == by_the_act(year)


def test_a_warning_comes_before_the_calendar_runs_out() -> None:
    assert check(date(2026, 11, 22)) == []
    assert CALENDAR.known_through == 2028
    assert check(date(2028, 3, 1)) == []
    assert [each.key for each in check(date(2028, 6, 1))] == ["2028"]
    holed = Calendar("1", {date(2026, 12, 26): "Boxing Day"}, 2026)
    assert [each.key for each in check(date(2026, 1, 1), holed)] == ["2026-12-26", "2026"]


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 11, 20), 2, date(2026, 11, 24)),
        (date(2026, 12, 24), 1, date(2026, 12, 29)),
        (date(2026, 12, 26), 1, date(2026, 12, 29)),
        (date(2027, 3, 25), 2, date(2027, 3, 31)),
        (date(2026, 11, 21), 0, date(2026, 11, 21)),
    ],
    ids=["weekend", "christmas", "from-a-saturday", "easter", "none"],
)
def test_working_days_go_round_weekends_and_holidays(start: date, count: int, end: date) -> None:
    assert CALENDAR.after(start, count) == end
    assert CALENDAR.between(start, end) == count


@given(st.dates(date(2024, 1, 1), date(2028, 12, 31)), st.integers(0, 400))
def test_counting_is_what_one_gets_day_by_day(start: date, span: int) -> None:
    end = start + timedelta(days=span)
    days = [start + timedelta(days=each) for each in range(1, span + 1)]
    assert CALENDAR.between(start, end) == sum(CALENDAR.is_working_day(day) for day in days)
    assert CALENDAR.between(end, start) == 0
    last = CALENDAR.last_working_day(end)
    assert CALENDAR.is_working_day(last)
    assert not any(CALENDAR.is_working_day(last + timedelta(days=each)) for each in range(1, (end - last).days + 1))
