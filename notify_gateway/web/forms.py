# SPDX-License-Identifier: MIT
"""Forms: what was typed is kept, each fault stands above the form and beside its field, and what a form carries is bounded and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID, uuid4

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused

E = TypeVar("E", bound=StrEnum)
VERSION: Final = "version"
FORM: Final = "form"
"""One number for each form that was shown: sent twice, it is done once."""
MOST_VERSION: Final = 1_000_000_000
_TOKEN: Final = "form_token"  # noqa: S105 - the name of a field, no secret


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form as it is shown: what it carries, what was typed, what is wrong with that, and what others changed meanwhile."""

    token: str = field(repr=False)
    carried: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    dates: frozenset[str] = frozenset()
    changes: tuple[str, ...] = ()

    def carrying(self, **values: object) -> Form:
        """Return the form with further hidden fields."""
        return replace(self, carried=(*self.carried, *((name, str(value)) for name, value in values.items())))


def new_form(token: str, *, version: int | None = None, values: Mapping[str, str] | None = None) -> Form:
    """Return an empty form, with a number of its own; ``version`` is that of the case that it is about."""
    made = Form(token=token, values=dict(values or {})).carrying(**{FORM: uuid4()})
    return made if version is None else made.carrying(**{VERSION: version})


class Reading:
    """A form that was sent: takes values out of it and notes what is wrong. What no page of ours could send raises ``Refused``."""

    def __init__(self, fields: Mapping[str, str], lists: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.fields = fields
        self.lists = dict(lists or {})
        self.faults: dict[str, str] = {}
        self._dates: set[str] = set()

    def wrong(self, name: str, fault: str) -> None:
        """Note what is wrong with a field; of several things the first."""
        self.faults.setdefault(name, fault)

    def chosen(self, kind: type[E], name: str, fault: str) -> E | None:
        """Return what was chosen; nothing chosen is a fault."""
        given = self.fields.get(name, "")
        if not given:
            self.wrong(name, fault)
            return None
        return member(kind, given)

    def text(self, name: str, most: int) -> str:
        """Return what was typed, without space around it; too much is a fault."""
        given = self.fields.get(name, "").replace("\r\n", "\n").strip()
        if len(given) > most:
            self.wrong(name, f"Use {most:,} characters or fewer")
        return given

    def ticked(self, name: str) -> bool:
        """Tell whether the box was ticked."""
        return self.fields.get(name) == "yes"

    def day(self, name: str, missing: str | None = None) -> date | None:
        """Return a day that was typed in three fields, or none; half a day, or one that is not in the calendar, is a fault."""
        self._dates.add(name)
        parts = [self.fields.get(f"{name}-{part}", "").strip() for part in ("year", "month", "day")]
        if not any(parts):
            if missing:
                self.wrong(name, missing)
            return None
        try:
            if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
                raise ValueError
            year, month, day = map(int, parts)
            if not 2000 <= year < 2100:
                raise ValueError
            return date(year, month, day)
        except ValueError:
            self.wrong(name, "Enter a day that is in the calendar, such as 27 3 2026")
            return None

    def number(self, name: str, least: int, most: int, fault: str) -> int:
        """Return a whole number within bounds; anything else is a fault."""
        given = self.fields.get(name, "").strip()
        if given.isascii() and given.isdigit() and len(given) <= 6 and least <= int(given) <= most:
            return int(given)
        self.wrong(name, fault)
        return least

    def version(self) -> int:
        """Return the version of the case that the form was made for; raises ``Refused``."""
        return whole(self.fields.get(VERSION, ""), MOST_VERSION)

    def form(self) -> UUID:
        """Return the number of the form; raises ``Refused``."""
        return an_id(self.fields.get(FORM, ""))

    def again(self, token: str, *, version: int | None = None, changes: tuple[str, ...] = (), carry: tuple[str, ...] = ()) -> Form:
        """Return the form as it was filled in, to be shown again: with its faults, or at a newer version with what changed meanwhile."""
        kept = {name: value for name, value in self.fields.items() if name not in (_TOKEN, VERSION, FORM, *carry)}
        carried = {FORM: self.fields.get(FORM, ""), VERSION: self.fields.get(VERSION, "")} | {n: self.fields.get(n, "") for n in carry}
        if version is not None:
            carried |= {FORM: str(uuid4()), VERSION: str(version)}
        return Form(
            token=token,
            carried=tuple((name, value) for name, value in carried.items() if value),
            values=kept,
            lists=self.lists,
            faults=dict(self.faults),
            dates=frozenset(self._dates),
            changes=changes,
        )


def member(kind: type[E], given: str) -> E:
    """Return the member of that name; raises ``Refused`` where there is none."""
    try:
        return kind(given)
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None


def whole(given: str, most: int) -> int:
    """Return a whole number from 0 to ``most``; raises ``Refused`` for anything else."""
    if not (given.isascii() and given.isdigit() and len(given) <= 10 and int(given) <= most):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return int(given)


def an_id(given: str) -> UUID:
    """Return the id; raises ``Refused`` for what is none."""
    try:
        return UUID(given)
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None


def day_fields(name: str, on: date) -> dict[str, str]:
    """Return a day as the three fields that hold it."""
    return {f"{name}-day": str(on.day), f"{name}-month": str(on.month), f"{name}-year": str(on.year)}
