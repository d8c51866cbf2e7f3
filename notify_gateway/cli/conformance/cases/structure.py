# SPDX-License-Identifier: MIT
"""FHIR R4 that is not, or is no message whose parts hang together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, bad
from notify_gateway.cli.conformance.changes import Change, Drop, Put, Repeat, Url
from notify_gateway.domain.catalogue import Code
from notify_gateway.fhir import names

GROUP: Final = "structure"
_NOWHERE = "urn:uuid:00000000-0000-4000-8000-00000000dead"
_MODIFIER = [{"url": "https://example.org/not", "valueBoolean": True}]
_SCRIPT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><script>x()</script></div>'}
_NESTED = {"url": "https://example.org/x", "valueString": "a", "extension": [{"url": "https://example.org/y", "valueString": "b"}]}

_FAULTS: Final[tuple[tuple[str, str, Code, tuple[Change, ...]], ...]] = (
    ("a collection", "MessageHeader, bdl-12", Code.NOT_A_MESSAGE, (Put("bundle.type", "collection"),)),
    ("the header last", "bdl-12", Code.HEADER_NOT_FIRST, (lambda draft: draft.document["entry"].reverse(),)),
    ("two headers", "bdl-12", Code.HEADER_NOT_FIRST, (Repeat("header"),)),
    ("no entries", "bdl-12", Code.HEADER_NOT_FIRST, (Drop("bundle.entry"),)),
    ("an entry without fullUrl", "BaRS", Code.FULL_URL, (Drop("bundle.entry[5].fullUrl"),)),
    ("one fullUrl twice", "bdl-7", Code.FULL_URL, (Put("bundle.entry[5].fullUrl", Url("role")),)),
    ("a fullUrl that is no urn:uuid", "BaRS", Code.FULL_URL, (Put("bundle.entry[5].fullUrl", "https://example.org/Practitioner/1"),)),
    ("a reference to nothing", "BaRS", Code.REFERENCE_UNRESOLVED, (Put("role.practitioner.reference", _NOWHERE),)),
    ("a reference to elsewhere", "BaRS", Code.REFERENCE_UNRESOLVED, (Put("role.practitioner.reference", "Practitioner/1"),)),
    ("a reference to the wrong type", "FHIR R4 2.3", Code.REFERENCE_TYPE, (Put("opinion.subject.reference", Url("sender")),)),
    ("a request in an entry", "bdl-3", Code.STRUCTURE, (Put("bundle.entry[2].request", {"method": "POST", "url": "Patient"}),)),
    ("an unknown resource type", "FHIR R4", Code.RESOURCE_TYPE_NOT_ACCEPTED, (Put("practitioner.resourceType", "Practitoner"),)),
    ("a resource without its type", "FHIR R4", Code.RESOURCE_TYPE_MISSING, (Drop("practitioner.resourceType"),)),
    ("a misspelt element", "FHIR R4", Code.ELEMENT_UNKNOWN, (Put("patient.name[0].famly", "A"),)),
    ("a number for a date", "FHIR R4 date", Code.JSON_TYPE, (Put("patient.birthDate", 1667433600),)),
    ("true in quotes", "FHIR R4 boolean", Code.JSON_TYPE, (Put("patient.active", "true"),)),
    ("a string for a list", "FHIR R4 JSON", Code.JSON_TYPE, (Put("patient.name[0].given", "A"),)),
    ("JSON text for an object", "FHIR R4 JSON", Code.JSON_TYPE, (Put("patient.maritalStatus", '{"text": "single"}'),)),
    ("a gender of no list", "required binding", Code.CODE_NOT_IN_BINDING, (Put("patient.gender", "girl"),)),
    ("a status of no list", "required binding", Code.CODE_NOT_IN_BINDING, (Put("focus.status", "done"),)),
    ("no source", "MessageHeader.source 1..1", Code.ELEMENT_MISSING, (Drop("header.source"),)),
    ("an opinion about nobody", "Condition.subject 1..1", Code.ELEMENT_MISSING, (Drop("opinion.subject"),)),
    ("two forms of one element", "FHIR R4 choice", Code.CHOICE_NOT_ONE, (Put("header.eventUri", "https://example.org/event"),)),
    ("30 February", "FHIR R4 date", Code.VALUE_FORMAT, (Put("patient.birthDate", "2022-02-30"),)),
    ("an English date", "FHIR R4 date", Code.VALUE_FORMAT, (Put("patient.birthDate", "03/11/2022"),)),
    ("an instant without time zone", "FHIR R4 instant", Code.VALUE_FORMAT, (Put("bundle.timestamp", "2026-01-14T10:15:00"),)),
    ("an id of 65 characters", "FHIR R4 id", Code.VALUE_FORMAT, (Put("patient.id", "a" * 65),)),
    ("an extension with value and extensions", "ext-1", Code.EXTENSION_VALUE, (Put("patient.extension[1]", _NESTED),)),
    ("a modifier extension that is unknown", "FHIR R4 2.4.1", Code.MODIFIER_EXTENSION, (Put("patient.modifierExtension", _MODIFIER),)),
    ("implicit rules", "FHIR R4 2.26.3.3", Code.IMPLICIT_RULES, (Put("patient.implicitRules", "https://example.org/rules"),)),
    ("a script in a narrative", "txt-1", Code.NARRATIVE_ACTIVE, (Put("patient.text", _SCRIPT),)),
)


def cases() -> Iterator[Case]:
    """Give them."""
    for title, source, code, changes in _FAULTS:
        yield bad(GROUP, title, source, code, *changes)
    deep: dict[str, object] = {"url": f"{names.BASE}/deep", "valueString": "a"}
    for _ in range(40):
        deep = {"url": f"{names.BASE}/deep", "extension": [deep]}
    yield bad(GROUP, "extensions forty deep", "bounded reading", Code.TOO_DEEP, Put("patient.extension", [deep]))
    many = [{"family": "A"}] * 12_000
    yield bad(GROUP, "twelve thousand names", "bounded reading", Code.TOO_MANY_NODES, Put("patient.name", many))
