# SPDX-License-Identifier: MIT
"""The quick way in: a judge of plain messages, compiled from the shapes of FHIR R4, that says yes or nothing.

The R4B models spend nearly all their time on building objects. This judge builds none: it is one pydantic-core schema in which every
primitive is judged *by the models' own type*, after a gate that lets only the right JSON type pass; objects and lists are held against
the shapes, which are read from the models. It leaves out whatever is rare or subtle (primitive extensions, contained resources,
modifier extensions, implicit rules). So a message that it takes has no issue for the walk of ``survey`` and none for the models.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationInfo
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from notify_gateway.fhir.names import ENTRY_TYPES
from notify_gateway.fhir.shapes import Element, Shape, shape_of, shapes
from notify_gateway.fhir.survey import RULES, Link, link_in

_LEFT_OUT: Final = frozenset({"modifierExtension", "implicitRules"})
_ANY_RESOURCE: Final = "Resource"
_GATES: Final[dict[type, CoreSchema]] = {
    str: core_schema.str_schema(strict=True),
    bool: core_schema.bool_schema(strict=True),
    int: core_schema.int_schema(strict=True),
    float: core_schema.float_schema(strict=True),
}

Members = dict[str, Any]


def links_if_plain(document: Members) -> list[Link] | None:
    """Return the literal references of a message that ``survey`` and the models are sure to take, without their places.

    ``None`` says nothing about the message but that it must go the long way. Nesting is bounded by ``parsing.MAX_DEPTH``.
    """
    links: list[Link] = []
    return links if plain_judge().isinstance_python(document, context=links) else None


@cache
def plain_judge() -> SchemaValidator:
    """Return the compiled judge."""
    definitions = [_object(shape) for shape in shapes()]
    return SchemaValidator(core_schema.definitions_schema(core_schema.definition_reference_schema("Bundle"), definitions))


def _object(shape: Shape) -> CoreSchema:
    fields = {
        name: core_schema.typed_dict_field(_value(element), required=name in shape.required)
        for name, element in shape.elements.items()
        if _is_plain(name, element)
    }
    if "resourceType" in fields:
        fields["resourceType"] = core_schema.typed_dict_field(core_schema.literal_schema([shape.type_name]), required=True)
    members = core_schema.typed_dict_schema(fields, strict=True, extra_behavior="forbid")
    if not shape.choices and shape.type_name not in RULES:
        return {**members, "ref": shape.type_name}
    return core_schema.no_info_after_validator_function(_whole(shape), members, ref=shape.type_name)


def _is_plain(name: str, element: Element) -> bool:
    if name.startswith("_") or name in _LEFT_OUT:
        return False
    return element.model is None or name == "resource" or element.model.get_resource_type() != _ANY_RESOURCE


def _whole(shape: Shape) -> Callable[[Members], Members]:
    """Return the rule for what no single member shows: one choice of each kind, and the rule of the type."""
    holds = RULES[shape.type_name][0] if shape.type_name in RULES else None

    def rule(members: Members) -> Members:
        for _, names, needed in shape.choices:
            count = len(names & members.keys())
            if count > 1 or (needed and not count):
                raise ValueError
        if holds is not None and not holds(members):
            raise ValueError
        return members

    return rule


def _value(element: Element) -> CoreSchema:
    one = _primitive(element) if element.model is None else _member(element, shape_of(element.model))
    return core_schema.list_schema(one, strict=True, min_length=1, fail_fast=True) if element.many else one


def _member(element: Element, shape: Shape) -> CoreSchema:
    if shape.type_name == _ANY_RESOURCE:
        kinds: dict[Any, CoreSchema] = {name: core_schema.definition_reference_schema(name) for name in sorted(ENTRY_TYPES)}
        return core_schema.tagged_union_schema(kinds, "resourceType")
    members = core_schema.definition_reference_schema(shape.type_name)
    if "reference" not in shape.elements:
        return members

    def note(members: Members, info: ValidationInfo) -> Members:
        link = link_in(members, element.targets)
        if link is not None and info.context is not None:
            info.context.append(link)
        return members

    return core_schema.with_info_after_validator_function(note, members)


def _primitive(element: Element) -> CoreSchema:
    own = TypeAdapter(element.primitive).core_schema
    if element.codes is not None:
        gate: CoreSchema = core_schema.literal_schema(sorted(element.codes))
    elif element.pattern is not None:
        gate = core_schema.str_schema(strict=True, pattern=f"^(?:{element.pattern.pattern})$")
    elif len(element.json) == 1:
        (kind,) = element.json
        gate = _GATES[kind]
    else:
        gate = core_schema.union_schema([_GATES[kind] for kind in (int, float)])
    return core_schema.chain_schema([gate, own])
