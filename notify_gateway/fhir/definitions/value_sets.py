# SPDX-License-Identifier: MIT
"""The value sets that the message, the Task and the extensions are bound to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mappings.needs import NeedTables, Strength
from notify_gateway.fhir import names
from notify_gateway.fhir.definitions import code_systems
from notify_gateway.fhir.definitions.canonical import SNOMED_COPYRIGHT, Json, canonical, id_of

CERTAINTY: Final = "opinion-certainty"
NEED: Final = "need-code"

_CERTAINTIES: Final[Mapping[str, str]] = {"confirmed": "Confirmed", "provisional": "Provisional"}


def made() -> Iterator[Json]:
    """Yield a value set of all codes of each own code system, and those that choose among others' codes."""
    for system in code_systems.made():
        yield _value_set(id_of(system["url"]), system["title"], system["description"], {"system": system["url"]}, system["version"])
    yield _certainties()
    yield _needs()


def _certainties() -> Json:
    concepts = [{"code": code, "display": display} for code, display in _CERTAINTIES.items()]
    description = "Confirmed is 'has', provisional is 'probably has' (section 23(1))."
    return _value_set(CERTAINTY, "Certainty of an opinion", description, {"system": names.VERIFICATION, "concept": concepts})


def _needs() -> Json:
    """A contradiction names no need, so no opinion can rest on it."""
    tables = NeedTables.load()
    rows = [kept[-1] for _, kept in sorted(tables.concepts.items()) if kept[-1].strength is not Strength.CONTRADICTION]
    concepts = [{"code": row.code, "display": row.term} for row in rows]
    description = "The codes by which a need is understood: types of the Department for Education, and SNOMED CT concepts of the table."
    value_set = _value_set(NEED, "Codes of need", description, {"system": names.DFE_SEN_TYPE}, tables.version)
    value_set["compose"]["include"].append({"system": names.SNOMED, "concept": concepts})
    return value_set | {"copyright": SNOMED_COPYRIGHT}


def _value_set(value_set_id: str, title: str, description: str, include: dict[str, Any], version: str | None = None) -> Json:
    head = (
        canonical("ValueSet", value_set_id, title, description)
        if version is None
        else canonical("ValueSet", value_set_id, title, description, version=version)
    )
    return head | {"compose": {"include": [include]}}
