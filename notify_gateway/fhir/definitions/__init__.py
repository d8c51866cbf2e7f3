# SPDX-License-Identifier: MIT
"""The project's own FHIR definitions, as they are served: made from the code that works by them, never a copy of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Final

from notify_gateway.fhir.definitions import code_systems, extensions, message, operations, value_sets
from notify_gateway.fhir.definitions.canonical import Json

TYPES: Final = ("CodeSystem", "MessageDefinition", "OperationDefinition", "StructureDefinition", "ValueSet")
"""The resource types of which there are definitions."""


@cache
def _all() -> Mapping[tuple[str, str], Json]:
    made = chain(code_systems.made(), message.made(), operations.made(), extensions.made(), value_sets.made())
    return MappingProxyType({(each["resourceType"], each["id"]): each for each in made})


def definitions(kind: str) -> tuple[Json, ...]:
    """Return all definitions of a resource type, by id."""
    return tuple(made for (of, _), made in sorted(_all().items()) if of == kind)


def find(kind: str, definition_id: str) -> Json | None:
    """Return the definition of that type and id, or None when there is none."""
    return _all().get((kind, definition_id))
