# SPDX-License-Identifier: MIT
"""Compulsory school age: the worked table, the whole calendar, and what "under five" would get wrong."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.school_age import compulsory_school_age_begins, fifth_birthday, is_under_compulsory_school_age

WORKED_TABLE = [
    # born, fifth birthday, compulsory school age begins, last day in scope
    (date(2021, 8, 30), date(2026, 8, 30), date(2026, 8, 31), date(2026, 8, 30)),
    (date(2021, 8, 31), date(2026, 8, 31), date(2026, 8, 31), date(2026, 8, 30)),
    (date(2021, 9, 1), date(2026, 9, 1), date(2026, 12, 31), date(2026, 12, 30)),
    (date(2020, 2, 29), date(2025, 3, 1), date(2025, 3, 31), date(2025, 3, 30)),
    (date(2020, 12, 31), date(2025, 12, 31), date(2025, 12, 31), date(2025, 12, 30)),
    (date(2021, 1, 1), date(2026, 1, 1), date(2026, 3, 31), date(2026, 3, 30)),
    (date(2021, 3, 31), date(2026, 3, 31), date(2026, 3, 31), date(2026, 3, 30)),
    (date(2021, 4, 1), date(2026, 4, 1), date(2026, 8, 31), date(2026, 8, 30)),
    (date(2021, 10, 1), date(2026, 10, 1), date(2026, 12, 31), date(2026, 12, 30)),
]
births = st.dates(min_value=date(1950, 1, 1), max_value=date(2100, 12, 31))


@pytest.mark.parametrize(("born", "fifth", "begins", "last"), WORKED_TABLE, ids=lambda day: day.isoformat())
def test_the_worked_table(born: date, fifth: date, begins: date, last: date) -> None:
    assert fifth_birthday(born) == fifth
    assert compulsory_school_age_begins(born) == begins
    assert is_under_compulsory_school_age(born, last)
    assert not is_under_compulsory_school_age(born, last + timedelta(days=1))


@given(births)
def test_it_begins_on_the_first_prescribed_day_from_the_fifth_birthday_on(born: date) -> None:
    begins, fifth = compulsory_school_age_begins(born), fifth_birthday(born)
    assert (begins.month, begins.day) in {(3, 31), (8, 31), (12, 31)}
    assert timedelta(0) <= begins - fifth <= timedelta(days=152)
    days_between = (fifth + timedelta(days=n) for n in range((begins - fifth).days))
    assert not any((day.month, day.day) in {(3, 31), (8, 31), (12, 31)} for day in days_between)


@given(births)
def test_every_child_under_five_is_under_compulsory_school_age(born: date) -> None:
    assert is_under_compulsory_school_age(born, fifth_birthday(born) - timedelta(days=1))


@pytest.mark.parametrize("year", range(1952, 2100, 4))
def test_either_reading_of_a_29_february_birthday_gives_the_same_day(year: int) -> None:
    begins = {compulsory_school_age_begins(day) for day in (date(year, 2, 28), date(year, 2, 29), date(year, 3, 1))}
    assert begins == {date(year + 5, 3, 31)}


def test_at_five_years_and_three_months_only_spring_and_september_children_are_still_in_scope() -> None:
    year = [date(2021, 1, 1) + timedelta(days=n) for n in range(365)]
    still = {(born.month, born.day) for born in year if is_under_compulsory_school_age(born, _three_months_past_five(born))}
    spring = {(d.month, d.day) for d in year if date(2021, 4, 1) <= d <= date(2021, 5, 30)}
    september = {(d.month, d.day) for d in year if d.month == 9}
    assert still == spring | september


def _three_months_past_five(born: date) -> date:
    fifth = fifth_birthday(born)
    month = fifth.month + 3
    year, month = fifth.year + (month - 1) // 12, (month - 1) % 12 + 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=fifth.day - 1), first_of_next - timedelta(days=1))
