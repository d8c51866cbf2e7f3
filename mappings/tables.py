# SPDX-License-Identifier: MIT
"""Reading the packaged code tables: CSV whose first line is ``# version …``, and whose rows are in force between two dates."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Protocol, TypeVar

DATA = Path(__file__).parent / "data"


class Dated(Protocol):
    """A row that is in force from ``valid_from`` to ``valid_to``, both included; ``None`` leaves that end open."""

    @property
    def valid_from(self) -> date | None:
        """Return the first day."""
        ...

    @property
    def valid_to(self) -> date | None:
        """Return the last day."""
        ...


Row = TypeVar("Row", bound=Dated)


@dataclass(frozen=True, slots=True)
class Table:
    """One packaged table: its rows by column name, as text, and the version that its first line states."""

    name: str
    version: str
    rows: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a table: which one, the key of the row and what is the matter."""

    table: str
    key: str
    what: str


def read_table(name: str) -> Table:
    """Return the packaged table ``name`` (file name without ``.csv``).

    Raises ``ValueError`` when the version line is missing or a row is not as long as the heading.
    """
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        label, _, version = source.readline().partition("# version ")
        if label or not version.strip():
            raise ValueError(f"{name}.csv does not begin with '# version …'")
        lines = csv.reader(line for line in source if not line.startswith("#"))
        heading = next(lines)
        rows = tuple(dict(zip(heading, row, strict=True)) for row in lines)
    return Table(name, version.strip(), rows)


def day(text: str) -> date | None:
    """Return the ISO date that ``text`` holds, ``None`` when it is empty."""
    return date.fromisoformat(text) if text else None


def in_force(row: Dated, on: date) -> bool:
    """Tell whether ``row`` is in force on the day ``on``."""
    return (row.valid_from is None or row.valid_from <= on) and (row.valid_to is None or on <= row.valid_to)


def pick(rows: Iterable[Row], on: date) -> Row | None:
    """Return the row that is in force on the day ``on``, if any."""
    return next((row for row in rows if in_force(row, on)), None)


def overlaps(table: str, key: str, rows: Iterable[Dated]) -> Iterator[Problem]:
    """Yield a problem for each row that ends before it begins, and for each two rows in force on one same day."""
    spans = [(row.valid_from or date.min, row.valid_to or date.max) for row in rows]
    for begins, ends in spans:
        if ends < begins:
            yield Problem(table, key, "ends before it begins")
    for one, other in combinations(spans, 2):
        if max(one[0], other[0]) <= min(one[1], other[1]):
            yield Problem(table, key, "is in force twice on the same day")
