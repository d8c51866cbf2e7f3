# SPDX-License-Identifier: MIT
"""From a code of the message to types and broad areas of special educational need (SNOMED CT; Department for Education types).

No official mapping from SNOMED CT to the education types exists: the table is a proposal, each row with a strength that says how
far it may be trusted, and the types are educational judgements that stay with people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from mappings import authorities, verhoeff
from mappings.tables import Problem, day, overlaps, pick, read_table

SNOMED_CT = "http://snomed.info/sct"
DFE_SEN_TYPE = "https://w3id.org/early-years-send/fhir/CodeSystem/dfe-sen-type"


class Strength(StrEnum):
    """How far a translation may be trusted."""

    STATED = "stated"
    DIRECT = "direct"
    PROVISIONAL = "provisional"
    RISK = "risk"
    CONTRADICTION = "contradiction"


WHY = {
    Strength.STATED: "The sender states this type.",
    Strength.DIRECT: "Suggested from the health code, taken at its word.",
    Strength.PROVISIONAL: "The health code leaves the type open: a person chooses.",
    Strength.RISK: "A risk is not a need: it fills no type and is never enough for a notification by itself.",
    Strength.CONTRADICTION: "The code says that nothing was found, which contradicts the opinion.",
}


@dataclass(frozen=True, slots=True)
class BroadArea:
    """One of the four broad areas of need (SEND Code of Practice 2015, 6.28 to 6.35)."""

    code: str
    label: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class SenType:
    """A type of special educational need as the Department for Education codes it; ``area`` is ``None`` where it belongs to none."""

    code: str
    label: str
    area: str | None
    remark: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Concept:
    """A SNOMED CT concept and its candidate types, likeliest first; ``area`` is given only where no type is."""

    code: str
    term: str
    sen_types: tuple[str, ...]
    area: str | None
    strength: Strength
    seen_in: tuple[str, ...]
    remark: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Translation:
    """What a code says about needs, by which version of the tables, and why.

    ``sen_types`` and ``areas`` are empty for a risk and for a contradiction, and where a code is not specific enough.
    """

    sen_types: tuple[str, ...]
    areas: tuple[str, ...]
    strength: Strength
    table_version: str
    why: str


@dataclass(frozen=True, slots=True)
class NeedTables:
    """The three tables, by code; a code may have several rows, each for its own period."""

    version: str
    areas: Mapping[str, Sequence[BroadArea]]
    sen_types: Mapping[str, Sequence[SenType]]
    concepts: Mapping[str, Sequence[Concept]]

    @classmethod
    def load(cls) -> NeedTables:
        """Return the packaged tables; they are read once and shared."""
        return _packaged()


def translate(system: str, code: str, on: date) -> Translation | None:
    """Return what ``code`` of the code system ``system`` says about needs on the day ``on``; ``None`` when the tables do not know it."""
    tables = NeedTables.load()
    if system == DFE_SEN_TYPE:
        stated = pick(tables.sen_types.get(code, ()), on)
        return _translation(tables, Strength.STATED, (code,), None, stated.remark, on) if stated else None
    if system == SNOMED_CT:
        concept = pick(tables.concepts.get(code, ()), on)
        return _translation(tables, concept.strength, concept.sen_types, concept.area, concept.remark, on) if concept else None
    return None


def suggest_multi_sensory(sen_types: Iterable[str]) -> bool:
    """Tell whether hearing and vision impairment stand side by side without multi-sensory impairment, which may be the better type."""
    named = set(sen_types)
    return {"HI", "VI"} <= named and "MSI" not in named


def label(code: str, on: date) -> str:
    """Return the words for a type of need or a broad area on the day ``on``. Raises ``KeyError`` when there is no such code then."""
    tables = NeedTables.load()
    row = pick(tables.sen_types.get(code, ()), on) or pick(tables.areas.get(code, ()), on)
    if row is None:
        raise KeyError(code)
    return row.label


def explain(code: str, on: date) -> tuple[str, ...]:
    """Return, line by line, what the tables hold on ``code`` on the day ``on`` and what follows from it, for printing."""
    concept = pick(NeedTables.load().concepts.get(code, ()), on)
    if translation := translate(DFE_SEN_TYPE, code, on):
        title = f"{code}  {label(code, on)} (DfE type of need)"
    elif concept and (translation := translate(SNOMED_CT, code, on)):
        title = f"{code}  {concept.term} (SNOMED CT, seen in {', '.join(concept.seen_in)})"
    else:
        form = "has the check digit of" if verhoeff.is_valid(code) else "is not"
        return (f"{code}  is not in the tables on {on}, version {NeedTables.load().version}; it {form} a SNOMED CT identifier",)
    return (
        title,
        f"Strength: {translation.strength}",
        f"Types:    {'; '.join(f'{kind} {label(kind, on)}' for kind in translation.sen_types) or 'none'}",
        f"Areas:    {'; '.join(label(area, on) for area in translation.areas) or 'none'}",
        f"Why:      {translation.why}",
        f"Version:  {translation.table_version}",
    )


def check() -> list[Problem]:
    """Return what is wrong with any packaged table, the authorities and districts included; empty when all is well."""
    return [*check_needs(NeedTables.load()), *authorities.check()]


def check_needs(tables: NeedTables) -> list[Problem]:
    """Return what is wrong with ``tables``: check digits, dates that overlap, types or areas that are unknown while a row is in force."""
    problems: list[Problem] = []
    for code, concepts in tables.concepts.items():
        if not verhoeff.is_valid(code):
            problems.append(Problem("snomed_needs", code, "fails the Verhoeff check"))
        problems += overlaps("snomed_needs", code, concepts)
        for row in concepts:
            problems += (Problem("snomed_needs", code, f"names {what}") for what in _dangling(row, tables))
            if row.area and row.sen_types:
                problems.append(Problem("snomed_needs", code, "names an area beside its types, which have their own"))
            if row.strength is Strength.DIRECT and len(row.sen_types) > 1:
                problems.append(Problem("snomed_needs", code, "is direct but leaves a choice"))
            if row.strength is Strength.CONTRADICTION and (row.sen_types or row.area):
                problems.append(Problem("snomed_needs", code, "contradicts a need and yet names one"))
    for code, types in tables.sen_types.items():
        problems += overlaps("sen_types", code, types)
        problems += (Problem("sen_types", code, "names an unknown area") for row in types if row.area and row.area not in tables.areas)
    for code, areas in tables.areas.items():
        problems += overlaps("need_areas", code, areas)
    return problems


def _dangling(row: Concept, tables: NeedTables) -> list[str]:
    """List the types and the area of ``row`` that are not in force on its first or its last day."""
    days = (row.valid_from or date.min, row.valid_to or date.max)
    wrong = [kind for kind in row.sen_types if not all(pick(tables.sen_types.get(kind, ()), on) for on in days)]
    if row.area and not all(pick(tables.areas.get(row.area, ()), on) for on in days):
        wrong.append(row.area)
    return [f"{name}, which is not in force in the same period" for name in wrong]


def _translation(
    tables: NeedTables, strength: Strength, sen_types: tuple[str, ...], area: str | None, remark: str, on: date
) -> Translation:
    if strength in (Strength.RISK, Strength.CONTRADICTION):
        sen_types, area = (), None
    areas = [row.area for kind in sen_types if (row := pick(tables.sen_types[kind], on)) and row.area]
    return Translation(
        sen_types=sen_types,
        areas=tuple(dict.fromkeys([area] if area else areas)),
        strength=strength,
        table_version=tables.version,
        why=f"{WHY[strength]} {remark}".strip(),
    )


@cache
def _packaged() -> NeedTables:
    source = [read_table(name) for name in ("need_areas", "sen_types", "snomed_needs")]
    areas: dict[str, list[BroadArea]] = defaultdict(list)
    types: dict[str, list[SenType]] = defaultdict(list)
    concepts: dict[str, list[Concept]] = defaultdict(list)
    for row in source[0].rows:
        areas[row["area"]].append(BroadArea(row["area"], row["label"], day(row["valid_from"]), day(row["valid_to"])))
    for row in source[1].rows:
        types[row["sen_type"]].append(
            SenType(
                code=row["sen_type"],
                label=row["label"],
                area=row["area"] or None,
                remark=row["remark"],
                valid_from=day(row["valid_from"]),
                valid_to=day(row["valid_to"]),
            )
        )
    for row in source[2].rows:
        concepts[row["concept"]].append(
            Concept(
                code=row["concept"],
                term=row["term"],
                sen_types=tuple(row["sen_types"].split()),
                area=row["area"] or None,
                strength=Strength(row["strength"]),
                seen_in=tuple(row["seen_in"].split()),
                remark=row["remark"],
                valid_from=day(row["valid_from"]),
                valid_to=day(row["valid_to"]),
            )
        )
    return NeedTables(max(table.version for table in source), dict(areas), dict(types), dict(concepts))
