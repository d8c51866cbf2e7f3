# SPDX-License-Identifier: MIT
"""Compulsory school age (Education Act 1996 s.8(2); prescribed days 31 March, 31 August and 31 December, SI 1998/1607)."""

from __future__ import annotations

from datetime import date
from typing import Final

PRESCRIBED_DAYS: Final = ((3, 31), (8, 31), (12, 31))
_AGE: Final = 5


def fifth_birthday(born: date) -> date:
    """Return the day on which the child attains five; one born on 29 February does so on 1 March, which changes no outcome."""
    if (born.month, born.day) == (2, 29):
        return date(born.year + _AGE, 3, 1)
    return born.replace(year=born.year + _AGE)


def compulsory_school_age_begins(born: date) -> date:
    """Return the first day of compulsory school age: the fifth birthday if that is a prescribed day, else the next one."""
    fifth = fifth_birthday(born)
    return next(day for day in (date(fifth.year, *prescribed) for prescribed in PRESCRIBED_DAYS) if day >= fifth)


def is_under_compulsory_school_age(born: date, on: date) -> bool:
    """Tell whether the child is under compulsory school age on the day ``on``; "under five" would be wrong."""
    return on < compulsory_school_age_begins(born)
