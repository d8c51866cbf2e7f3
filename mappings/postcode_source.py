# SPDX-License-Identifier: MIT
"""Reading the directories of the Office for National Statistics (ONSPD, NSPL and the best-fit lookups) of many editions, row by row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mappings.postcode_format import RECORD, TERMINATED, SourceUnusable, key_of

LONGEST_LINE = 65_536
KEPT_REPORTS = 100
MOST_DISTRICTS = 2**16

# Column names have changed with the editions: district codes carry the year of their vintage (lad23cd, lad25cd, …).
_COLUMNS = {
    "postcode": (r"pcds", r"pcd7", r"pcd8", r"pcd", r"pcd2"),
    "district": (r"oslaua", r"laua", r"lad(\d\d)?cd"),
    "date of termination": (r"doterm",),
    "country": (r"ctry", r"ctry(\d\d)?cd"),
}
_OPTIONAL = {"country"}
_DISTRICT = re.compile(r"[EWSNLM][0-9]{8}")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its line in the source (the heading is line 1) and what is wrong with it, without its values."""

    line: int
    what: str


@dataclass(slots=True)
class Tally:
    """What reading came across."""

    rows: int = 0
    bad: int = 0
    unplaced: int = 0
    """Rows with neither district nor country; the directory has them for postcodes it could not place."""
    reports: list[BadRow] = field(default_factory=list)
    districts: dict[bytes, int] = field(default_factory=dict)

    def report(self, line: int, what: str) -> None:
        """Count a bad row, and keep the report of the first hundred."""
        self.bad += 1
        if len(self.reports) < KEPT_REPORTS:
            self.reports.append(BadRow(line, what))


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns stand that matter."""

    postcode: int
    district: int
    terminated: int
    country: int | None
    width: int


def choose_columns(heading: list[str]) -> Columns:
    """Return where the needed columns stand. Raises ``SourceUnusable`` naming what is missing and what would be recognised."""
    names = [name.strip().lower() for name in heading]
    found = {what: _choose(names, patterns) for what, patterns in _COLUMNS.items()}
    missing = [what for what, place in found.items() if place is None and what not in _OPTIONAL]
    postcode, district, terminated = found["postcode"], found["district"], found["date of termination"]
    if postcode is None or district is None or terminated is None:
        wanted = "; ".join(f"{what} ({', '.join(_COLUMNS[what])})".replace(r"(\d\d)?", "25") for what in missing)
        raise SourceUnusable(f"the source has no column for {wanted}")
    return Columns(postcode, district, terminated, found["country"], len(names))


def _choose(names: list[str], patterns: tuple[str, ...]) -> int | None:
    """Return the place of the first pattern that any name fits; of several vintages the latest."""
    for pattern in patterns:
        fitting = [name for name in names if re.fullmatch(pattern, name)]
        if fitting:
            return names.index(max(fitting))
    return None


def read_records(source: Path, tally: Tally) -> Iterator[bytes]:
    """Yield the packed record of each good row of ``source``, in its order; count and report the others in ``tally``.

    Lines are parsed one at a time, so that a stray quotation mark spoils its own line and no other.
    """
    with source.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        columns = choose_columns(_cells(file.readline(LONGEST_LINE)) or [])
        for line, text in _lines(file):
            tally.rows += 1
            cells = _cells(text) if text is not None else None
            if text is None or cells is None:
                tally.report(line, "is too long" if text is None else "has unbalanced quotation marks")
            elif len(cells) != columns.width:
                tally.report(line, f"has {len(cells)} cells where the heading has {columns.width}")
            elif record := _record(cells, columns, tally, line):
                yield record


def _lines(file: IO[str]) -> Iterator[tuple[int, str | None]]:
    """Yield each line after the heading that is not blank with its number; ``None`` in place of one that is unreasonably long."""
    number = 1
    while text := file.readline(LONGEST_LINE):
        number += 1
        if len(text) == LONGEST_LINE and not text.endswith("\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield number, None
        elif not text.isspace():
            yield number, text


def _cells(text: str) -> list[str] | None:
    if '"' not in text:
        return text.rstrip("\r\n").split(",")
    try:
        return next(csv.reader((text,), strict=True))
    except csv.Error:
        return None


def _record(cells: list[str], columns: Columns, tally: Tally, line: int) -> bytes | None:
    key = key_of(cells[columns.postcode])
    if key is None:
        tally.report(line, "has no valid postcode")
        return None
    # Postcodes without a grid reference may have a country and no district: the country's code then stands for the district.
    area = cells[columns.district].strip() or (cells[columns.country].strip() if columns.country is not None else "")
    if not area:
        tally.unplaced += 1
        return None
    if not _DISTRICT.fullmatch(area):
        tally.report(line, "has no valid district code")
        return None
    index = tally.districts.setdefault(area.encode(), len(tally.districts))
    if index >= MOST_DISTRICTS:
        raise SourceUnusable(f"the source names more than {MOST_DISTRICTS} districts")
    return RECORD.pack(key, TERMINATED if cells[columns.terminated].strip() else 0, index)
