# SPDX-License-Identifier: MIT
"""What JSON each element of FHIR R4 may be, read once from the R4B models; and one walk that holds a message against it.

The models coerce (``"5"`` for 5, 0 for a date, JSON in a string for an object), take Python names for FHIR's and skip bindings
and ext-1. The walk comes before them and closes that gap. It never puts an unknown property into a path: a name that FHIR does not
know may be anything, a child's name included.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final, Union, get_args, get_origin

from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase

from notify_gateway.fhir.names import ENTRY_TYPES

# Both must be set before any model is imported: Python names are no FHIR, and inputs are no business of an exception's text.
FHIRAbstractModel.set_global_model_config(populate_by_name=False, hide_input_in_errors=True)

JSON_TYPES: Final = {
    str: frozenset({str}),
    bytes: frozenset({str}),
    date: frozenset({str}),
    datetime: frozenset({str}),
    time: frozenset({str}),
    bool: frozenset({bool}),
    int: frozenset({int}),
    Decimal: frozenset({int, float}),
}
# Spelt so that Python's engine and that of the models, which differ on 1C to 1F, agree on what is white space in a URI.
_URI: Final = re.compile(r"[^\s\x1c-\x1f]+")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]+")
_URI_TYPES: Final = frozenset({"Uri", "Url", "Canonical"})
_PYTHON_ONLY: Final = "fhir_comments"
_ABBREVIATED: Final = frozenset({"+", "etc."})
_ENCOUNTER_STATUSES: Final = frozenset(
    {"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"}
)
# Where the models abbreviate a value set, as the printed tables of FHIR do, this is the whole of it (FHIR R4, terminology).
_WHOLE: Final = {
    "Observation.status": frozenset(
        {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"}
    ),
    "Encounter.status": _ENCOUNTER_STATUSES,
    "EncounterStatusHistory.status": _ENCOUNTER_STATUSES,
}


@dataclass(frozen=True, slots=True)
class Element:
    """One element: the JSON types and the annotated type of a primitive, or the model of an object; if a list; what else binds it."""

    name: str
    json: frozenset[type]
    primitive: Any
    model: type[FHIRAbstractModel] | None
    many: bool
    nullable: bool
    codes: frozenset[str] | None
    pattern: re.Pattern[str] | None
    targets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shape:
    """One FHIR type: its elements by JSON name, those required, and its choices as (stem, names, required)."""

    type_name: str
    elements: dict[str, Element]
    required: tuple[str, ...]
    choices: tuple[tuple[str, frozenset[str], bool], ...]


@cache
def resource_model(name: str) -> type[FHIRAbstractModel]:
    """Return the R4B model of a resource type that may travel; only the modules needed are ever imported."""
    if name not in ENTRY_TYPES | {"Bundle"}:
        raise KeyError(name)
    model: type[FHIRAbstractModel] = getattr(import_module(f"fhir.resources.R4B.{name.lower()}"), name)
    return model


@cache
def shape_of(model: type[FHIRAbstractModel]) -> Shape:
    """Return the shape of a model."""
    elements, required = {}, []
    choices: dict[str, tuple[list[str], bool]] = {}
    is_resource = model.has_resource_base()
    for python_name, field in model.model_fields.items():
        name = field.alias or python_name
        if name == _PYTHON_ONLY:
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        elements[name] = _element(model.get_resource_type(), name, field.annotation, extra, is_id=is_resource and name == "id")
        if field.is_required() or extra.get("element_required"):
            required.append(name)
        stem = extra.get("one_of_many")
        if isinstance(stem, str):
            names, _ = choices.setdefault(stem, ([], bool(extra.get("one_of_many_required"))))
            names.append(name)
    if is_resource:
        elements["resourceType"] = Element("resourceType", JSON_TYPES[str], str, None, False, False, None, None, frozenset())
    return Shape(
        model.get_resource_type(),
        elements,
        tuple(required),
        tuple((stem, frozenset(names), needed) for stem, (names, needed) in choices.items()),
    )


def _element(type_name: str, name: str, annotation: Any, extra: Any, *, is_id: bool) -> Element:
    inner, many = _without_optional(annotation), False
    if get_origin(inner) is list:
        inner, many = _without_optional(get_args(inner)[0]), True
    primitive = inner
    marks: tuple[Any, ...] = ()
    if get_origin(inner) is Annotated:
        inner, *rest = get_args(inner)
        marks = tuple(rest)
    if isinstance(inner, type) and issubclass(inner, FhirBase):
        return Element(
            name.removeprefix("_"),
            frozenset({dict}),
            None,
            inner.get_model_klass(),
            many,
            many and name.startswith("_"),
            None,
            None,
            frozenset(extra.get("enum_reference_types", ())),
        )
    kinds = {type(mark).__name__ for mark in marks}
    codes = _codes(f"{type_name}.{name}", extra["enum_values"]) if "enum_values" in extra and "Code" in kinds else None
    pattern = _ID if is_id else _URI if kinds & _URI_TYPES else _BASE64 if "Base64Binary" in kinds else None
    return Element(name, JSON_TYPES.get(inner, JSON_TYPES[str]), primitive, None, many, many, codes, pattern, frozenset())


def _codes(place: str, told: Iterable[str]) -> frozenset[str] | None:
    """Return the value set that binds a code; ``None`` where it is abbreviated and binds nobody (extensible bindings)."""
    codes = frozenset(told)
    return _WHOLE.get(place) if codes & _ABBREVIATED else codes


def _without_optional(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(argument for argument in get_args(annotation) if argument is not type(None))
    return annotation


@cache
def shapes() -> tuple[Shape, ...]:
    """Return all shapes that a message can reach."""
    found: dict[type[FHIRAbstractModel], Shape] = {}
    waiting = [resource_model(name) for name in ("Bundle", *sorted(ENTRY_TYPES))]
    while waiting:
        model = waiting.pop()
        if model not in found:
            shape = found[model] = shape_of(model)
            waiting.extend(element.model for element in shape.elements.values() if element.model is not None)
    return tuple(found.values())


@cache
def element_names() -> frozenset[str]:
    """Return the names of all elements of all shapes that a message can reach."""
    return frozenset(name for shape in shapes() for name in shape.elements)


def fhirpath(parts: Iterable[str | int]) -> str:
    """Return the FHIRPath of keys and indexes below the Bundle, as far as every name in it is FHIR's own."""
    path, known = "Bundle", element_names()
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part in known:
            path += f".{part.removeprefix('_')}"
        else:
            break
    return path
