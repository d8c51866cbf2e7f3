# SPDX-License-Identifier: MIT
"""What all definitions have in common (FHIR R4 canonical resources): address, version, name, status, who publishes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from notify_gateway.fhir import names

Json: TypeAlias = dict[str, Any]

VERSION: Final = max(names.DEFINITION_VERSIONS)
PUBLISHED_ON: Final = "2026-11-22"
PUBLISHER: Final = "The notify_gateway project"
OPEN_GOVERNMENT_LICENCE: Final = "Contains public sector information licensed under the Open Government Licence v3.0."
SNOMED_COPYRIGHT: Final = (
    "This value set includes content from SNOMED CT, which is copyright of SNOMED International; its use is subject to a licence."
)


@dataclass(frozen=True, slots=True)
class Concept:
    """A code, what it is called, what it means, and its properties."""

    code: str
    display: str
    meaning: str
    properties: Mapping[str, str | int | bool] = field(default_factory=dict)


def canonical(kind: str, definition_id: str, title: str, description: str, *, version: str = VERSION) -> Json:
    """Return the head of a definition: everything but what it defines."""
    return {
        "resourceType": kind,
        "id": definition_id,
        "url": f"{names.BASE}/{kind}/{definition_id}",
        "version": version,
        "name": "".join(part.capitalize() for part in definition_id.split("-")),
        "title": title,
        "status": "active",
        "experimental": False,
        "date": PUBLISHED_ON,
        "publisher": PUBLISHER,
        "description": description,
    }


def url_of(kind: str, definition_id: str) -> str:
    """Return the canonical address of a definition of this project."""
    return f"{names.BASE}/{kind}/{definition_id}"


def id_of(url: str) -> str:
    """Return the id of the definition that has a canonical address of this project."""
    return url.rpartition("/")[2]


def without_repeats(concepts: Iterable[Concept]) -> tuple[Concept, ...]:
    """Return the concepts; raises ``ValueError`` where a code comes twice, for then one of them could never be meant."""
    made = tuple(concepts)
    if len({each.code for each in made}) < len(made):
        raise ValueError("a code comes twice")
    return made
