# SPDX-License-Identifier: MIT
"""FHIR R4 that is no message whose parts hang together, or a message of another kind."""

from __future__ import annotations

from notify_gateway.domain.catalogue import Code
from tests.fhir.spoiling import CONDITION, PATIENT, PRACTITIONER, ROLE, Case, another, at, edited, gone, wrong

INVARIANTS = [
    wrong("a collection", Code.NOT_A_MESSAGE, "type", "collection"),
    wrong("a transaction", Code.NOT_A_MESSAGE, "type", "transaction"),
    wrong("a total", Code.STRUCTURE, "total", 12),
    wrong("a request in an entry", Code.STRUCTURE, "entry[2].request", {"method": "POST", "url": "Patient"}),
    wrong("a response in an entry", Code.STRUCTURE, "entry[2].response", {"status": "200"}),
    wrong("a search score in an entry", Code.STRUCTURE, "entry[2].search", {"mode": "match"}),
    Case("the header last", edited(lambda d: d["entry"].reverse()), Code.HEADER_NOT_FIRST, "Bundle.entry[0].resource"),
    Case("two headers", edited(another(0)), Code.HEADER_NOT_FIRST, "Bundle.entry[12].resource"),
    gone("no header", Code.HEADER_NOT_FIRST, "entry[0]", where="entry[0].resource"),
    gone("no entries at all", Code.HEADER_NOT_FIRST, "entry", where="entry[0].resource"),
    gone("no fullUrl", Code.FULL_URL, "entry[5].fullUrl"),
    wrong("a fullUrl that is no urn:uuid", Code.FULL_URL, "entry[5].fullUrl", "https://example.org/Practitioner/1"),
    Case(
        "one fullUrl twice",
        edited(lambda d: d["entry"][5].update(fullUrl=d["entry"][6]["fullUrl"])),
        Code.FULL_URL,
        "Bundle.entry[5].fullUrl",
    ),
    gone("an entry without resource", Code.ELEMENT_MISSING, PRACTITIONER),
    wrong("a reference to nothing", Code.REFERENCE_UNRESOLVED, f"{ROLE}.practitioner.reference", "Banana/1"),
    wrong("a reference to the world", Code.REFERENCE_UNRESOLVED, f"{ROLE}.practitioner.reference", "https://example.org/Practitioner/1"),
    wrong(
        "a reference to a missing entry",
        Code.REFERENCE_UNRESOLVED,
        f"{ROLE}.practitioner.reference",
        "urn:uuid:00000000-0000-4000-8000-00000000dead",
    ),
    wrong("a reference to a missing contained resource", Code.REFERENCE_UNRESOLVED, f"{ROLE}.practitioner.reference", "#p1"),
    wrong("a reference to oneself", Code.REFERENCE_UNRESOLVED, f"{ROLE}.practitioner.reference", "#"),
    Case(
        "a reference to the wrong type",
        edited(lambda d: d["entry"][8]["resource"]["subject"].update(reference=d["entry"][3]["fullUrl"])),
        Code.REFERENCE_TYPE,
        at(f"{CONDITION}.subject.reference"),
    ),
    wrong(
        "a reference that claims another type",
        Code.REFERENCE_TYPE,
        f"{CONDITION}.subject.type",
        "Group",
        where=f"{CONDITION}.subject.reference",
    ),
    wrong("a contact without details", Code.ELEMENT_MISSING, f"{PATIENT}.contact", [{"gender": "female"}], where=f"{PATIENT}.contact[0]"),
]
