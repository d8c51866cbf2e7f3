# SPDX-License-Identifier: MIT
"""Responsible local authorities in England and the districts whose children they answer for (Children and Families Act 2014 s.24).

A body keeps its DfE code when its GSS code changes, so the DfE code joins the rows of one body: whichever of its GSS codes a
message or a postcode edition uses, old or new, the answer carries the code that is in force on the day asked for. A new authority
is a new row in ``data/authorities.csv``, and a new row for each of its districts, in force from the day it takes over.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from mappings.tables import Dated, Problem, day, in_force, overlaps, pick, read_table

COMPLETE_FROM = date(2021, 4, 1)
"""The directory knows every authority in force on this day or later; of earlier days it knows only some."""

_GSS = re.compile(r"E(0[6-9]|10)\d{6}")
_DFE = re.compile(r"\d{3}")


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority under one GSS code, in force from ``valid_from`` to ``valid_to`` (both included; ``None``: open)."""

    gss: str
    dfe_code: str
    name: str
    region: str
    ods: str | None
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class District:
    """The area that a postcode directory names ``code``, and the body (DfE code) that answers for it in that period."""

    code: str
    name: str
    dfe_code: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Directory:
    """The authorities and districts of all days; each question names its day."""

    version: str
    authorities: tuple[Authority, ...]
    bodies: Mapping[str, Sequence[Authority]]
    """The rows of each body by DfE code."""
    body_of_gss: Mapping[str, str]
    body_of_ods: Mapping[str, str]
    districts: Mapping[str, Sequence[District]]

    @classmethod
    def load(cls) -> Directory:
        """Return the packaged directory; it is read once and shared."""
        return _packaged()

    @classmethod
    def of(cls, version: str, authorities: Sequence[Authority], districts: Sequence[District]) -> Directory:
        """Return a directory of the given rows."""
        bodies: dict[str, list[Authority]] = defaultdict(list)
        areas: dict[str, list[District]] = defaultdict(list)
        for authority in authorities:
            bodies[authority.dfe_code].append(authority)
        for district in districts:
            areas[district.code].append(district)
        return cls(
            version=version,
            authorities=tuple(authorities),
            bodies=dict(bodies),
            body_of_gss={row.gss: row.dfe_code for row in authorities},
            body_of_ods={row.ods: row.dfe_code for row in authorities if row.ods},
            districts=dict(areas),
        )

    def by_gss(self, code: str, on: date) -> Authority | None:
        """Return the authority that ``code`` names, under the GSS code in force on the day ``on``; ``None`` if it is not in office then."""
        return self._body(self.body_of_gss.get(code), on)

    def by_ods(self, code: str, on: date) -> Authority | None:
        """Return the authority with the ODS code ``code``, under the GSS code in force on the day ``on``."""
        return self._body(self.body_of_ods.get(code), on)

    def responsible_for(self, district_code: str, on: date) -> Authority | None:
        """Return the authority that answers on the day ``on`` for children living in the district; ``None`` outside England."""
        district = pick(self.districts.get(district_code, ()), on)
        return self._body(district.dfe_code, on) if district else None

    def all(self, on: date) -> tuple[Authority, ...]:
        """Return every authority in office on the day ``on``, in order of GSS code. Complete from ``COMPLETE_FROM``."""
        return tuple(sorted((row for row in self.authorities if in_force(row, on)), key=lambda row: row.gss))

    def _body(self, dfe_code: str | None, on: date) -> Authority | None:
        return pick(self.bodies.get(dfe_code, ()), on) if dfe_code else None


def check(directory: Directory | None = None) -> list[Problem]:
    """Return what is wrong with the directory (the packaged one by default): codes, overlapping dates, areas nobody answers for."""
    directory = directory or Directory.load()
    problems: list[Problem] = []
    codes: dict[str, list[Authority]] = defaultdict(list)
    for row in directory.authorities:
        codes[row.gss].append(row)
        if not _GSS.fullmatch(row.gss) or not _DFE.fullmatch(row.dfe_code):
            problems.append(Problem("authorities", row.gss, "has a malformed code"))
        if directory.body_of_gss[row.gss] != row.dfe_code:
            problems.append(Problem("authorities", row.gss, "belongs to two bodies"))
        if row.ods and directory.body_of_ods[row.ods] != row.dfe_code:
            problems.append(Problem("authorities", row.gss, "shares its ODS code with another body"))
    for gss, rows in codes.items():
        problems += overlaps("authorities", gss, rows)
    for dfe_code, body in directory.bodies.items():
        problems += overlaps("authorities", dfe_code, body)
    for code, areas in directory.districts.items():
        problems += overlaps("districts", code, areas)
        problems += (
            Problem("districts", code, "names a body that is not in the directory")
            for area in areas
            if area.dfe_code not in directory.bodies
        )
        # Every answer changes only on a day that some row begins, or the day after some row ends; those are the days worth asking.
        problems += (
            Problem("districts", code, f"has no responsible authority on {on}")
            for on in _turning_days(directory)
            if directory.responsible_for(code, on) is None
        )
    return problems


def _turning_days(directory: Directory) -> list[date]:
    rows: list[Dated] = [*directory.authorities, *(area for areas in directory.districts.values() for area in areas)]
    begins = {row.valid_from for row in rows if row.valid_from}
    ends = {date.fromordinal(row.valid_to.toordinal() + 1) for row in rows if row.valid_to}
    return sorted(on for on in begins | ends | {COMPLETE_FROM} if on >= COMPLETE_FROM)


@cache
def _packaged() -> Directory:
    bodies, areas = read_table("authorities"), read_table("districts")
    return Directory.of(
        max(bodies.version, areas.version),
        [
            Authority(
                gss=row["gss"],
                dfe_code=row["dfe_code"],
                name=row["name"],
                region=row["region"],
                ods=row["ods"] or None,
                valid_from=day(row["valid_from"]),
                valid_to=day(row["valid_to"]),
            )
            for row in bodies.rows
        ],
        [
            District(
                code=row["district"],
                name=row["name"],
                dfe_code=row["dfe_code"],
                valid_from=day(row["valid_from"]),
                valid_to=day(row["valid_to"]),
            )
            for row in areas.rows
        ],
    )
