# SPDX-License-Identifier: MIT
"""Values that identify a person: they can be read on purpose, and never print by accident."""

from __future__ import annotations

import re
from datetime import date
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Private(Generic[T]):
    """A value about a person.

    ``reveal()`` is the only way to the value. ``repr`` is redacted; ``str``, ``format`` and pickling raise
    ``TypeError``, so that a log line, an f-string or a task argument cannot carry one.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value itself. Every call stands inside the plaintext perimeter or in its tests."""
        return self._value

    def __repr__(self) -> str:
        return f"<{type(self).__name__} withheld>"

    def __str__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} does not print")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError(f"{type(self).__name__} does not print")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not serialised")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._value == self._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))


class NhsNumber(Private[str]):
    """Ten digits with a valid modulus 11 check digit (NHS Data Dictionary, NHS NUMBER)."""

    __slots__ = ()

    def __init__(self, value: str) -> None:
        """Raises ``ValueError``, without the value, unless ``value`` is a valid NHS number."""
        if not has_valid_check_digit(value):
            raise ValueError("not a valid NHS number")
        super().__init__(value)

    @property
    def is_synthetic(self) -> bool:
        """True in the 999 range, which is never issued to a person."""
        return self.reveal().startswith("999")


def has_valid_check_digit(value: str) -> bool:
    """Tell whether ``value`` is ten ASCII digits whose last is the modulus 11 check digit of the other nine."""
    if re.fullmatch(r"[0-9]{10}", value) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value[:9], range(10, 1, -1), strict=True))
    check = (11 - total % 11) % 11
    return check != 10 and check == int(value[9])


class BirthDate(Private[date]):
    """A full date of birth."""

    __slots__ = ()


class Postcode(Private[str]):
    """A home postcode as sent; the look-up normalises it."""

    __slots__ = ()


class Words(Private[str]):
    """Free text, a name or a contact detail."""

    __slots__ = ()


class PrivateBytes(Private[bytes]):
    """Bytes that hold identity: a message as received, a card."""

    __slots__ = ()
