# SPDX-License-Identifier: MIT
"""The officer's card, and the traces that the tripwire looks for: the two places where identity is gathered on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from notify_gateway.domain.model import Card, Child, OdsCode, ParentActKind, Traces
from notify_gateway.fhir import names
from notify_gateway.fhir.acts import kinds_of
from notify_gateway.fhir.bundle import Bundle, Json, Located, codings, extensions, full_date, identifiers
from notify_gateway.fhir.child import home_address, is_restricted, verification_status

_INTERPRETER: Final = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
_SCHOOL_NUMBER: Final = "https://fhir.hl7.org.uk/Id/urn-school-number"
_ADDRESS_PARTS: Final = ("text", "line", "city", "district", "postalCode")
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_SHORTEST_TRACE: Final = 3


def make_card(bundle: Bundle, focus: Located, patient: Located, child: Child, sender: OdsCode, more: Mapping[str, Any]) -> Card:
    """Return what an officer needs to know the child and reach the family, as JSON values; absent facts are left out.

    ``more`` holds what other modules read for the card: attachments, part 2, observations.
    """
    views = [item for item in bundle.all("Communication") if ParentActKind.VIEWS in kinds_of(item)]
    others = [item for item in bundle.all("Communication") if ParentActKind.VIEWS not in kinds_of(item)]
    return Card(
        present(
            {
                "child": _child(patient.resource, child),
                "carers": [
                    _carer(carer, child.address_restricted)
                    for carer in (*(found.resource for found in bundle.all("RelatedPerson")), *_contacts(patient.resource))
                ],
                "parental_words": [word for view in views for word in _words(view.resource)],
                "summary": [note for found in bundle.all("Condition") for note in notes(found.resource)]
                + [word for item in others for word in _words(item.resource)],
                "opinions": [_opinion(condition.resource) for condition in bundle.all("Condition")],
                "notifier": _notifier(bundle, focus),
                "sender": present({"ods": sender.value, "name": _organisation_name(bundle, sender)}),
                "settings": [
                    present({"name": found.resource.get("name"), "urn": next(iter(identifiers(found.resource, {_SCHOOL_NUMBER})), None)})
                    for found in bundle.all("Organization")
                    if identifiers(found.resource, {_SCHOOL_NUMBER})
                ],
                "identifier": present({name: focus.resource["identifier"][0].get(name) for name in ("system", "value")}),
                **more,
            }
        )
    )


def _child(resource: Json, child: Child) -> dict[str, Any]:
    others = [item for item in resource.get("identifier", ()) if item.get("system") != names.NHS_NUMBER and "value" in item]
    number: Json = next((item for item in resource.get("identifier", ()) if item.get("system") == names.NHS_NUMBER), {})
    return present(
        {
            "names": [person_name(name) for name in resource.get("name", ())],
            "birth_date": child.birth_date.reveal().isoformat(),
            "nhs_number": child.nhs_number.reveal() if child.nhs_number else None,
            "nhs_number_status": verification_status(number),
            "nhs_number_absent_because": child.nhs_number_absent_because,
            "gender": resource.get("gender"),
            "address": None if child.address_restricted else _address(home_address(resource)),
            "address_restricted": child.address_restricted,
            "telecoms": _telecoms(resource),
            "languages": [
                present({"language": label(item["language"]), "preferred": item.get("preferred")})
                for item in resource.get("communication", ())
            ],
            "interpreter_required": next((item.get("valueBoolean") for item in extensions(resource, _INTERPRETER)), None),
            "gp": [
                item["identifier"]["value"] for item in resource.get("generalPractitioner", ()) if "value" in item.get("identifier", {})
            ],
            "identifiers": [present({"system": item.get("system"), "value": item["value"]}) for item in others],
        }
    )


def _carer(resource: Json, restricted: bool) -> dict[str, Any]:
    hidden = restricted or is_restricted(resource)
    return present(
        {
            "names": [person_name(name) for name in resource.get("name", ())],
            "relationship": [label(concept) for concept in resource.get("relationship", ())],
            "telecoms": _telecoms(resource),
            "address": None if hidden else _address(home_address(resource)),
            "languages": [label(item["language"]) for item in resource.get("communication", ())],
        }
    )


def _contacts(patient: Json) -> list[Json]:
    """Return the contacts of a Patient in the form of a RelatedPerson, whose name and address are lists."""
    return [
        {**contact, **{part: [contact[part]] for part in ("name", "address") if part in contact}} for contact in patient.get("contact", ())
    ]


def _opinion(resource: Json) -> dict[str, Any]:
    return present(
        {
            "need": label(resource.get("code", {})),
            "codes": coded(resource.get("code", {})),
            "certainty": label(resource.get("verificationStatus", {})),
            "kinds": [label(concept) for concept in resource.get("category", ())],
            "recorded_on": resource.get("recordedDate"),
        }
    )


def _notifier(bundle: Bundle, focus: Located) -> dict[str, Any]:
    role = bundle.follow(focus, focus.resource.get("sender"), "PractitionerRole")
    if role is None:
        return {}
    person = bundle.follow(role, role.resource.get("practitioner"), "Practitioner")
    return present(
        {
            "names": [person_name(name) for name in person.resource.get("name", ())] if person else [],
            "role": [label(concept) for concept in role.resource.get("code", ())],
            "telecoms": _telecoms(role.resource) + (_telecoms(person.resource) if person else []),
        }
    )


def _organisation_name(bundle: Bundle, sender: OdsCode) -> str | None:
    for found in bundle.all("Organization"):
        if sender.value in (code.upper() for code in identifiers(found.resource, names.ODS_SYSTEMS)):
            name: str | None = found.resource.get("name")
            return name
    return None


def person_name(name: Json) -> dict[str, Any]:
    """Return a name as it is spoken, and what it is used for."""
    spoken = name.get("text") or " ".join([*_strings(name, "prefix"), *_strings(name, "given"), *_strings(name, "family")])
    return present({"name": spoken, "use": name.get("use")})


def _telecoms(resource: Json) -> list[dict[str, Any]]:
    return [
        present({key: item.get(key) for key in ("system", "value", "use")})
        for item in resource.get("telecom", ())
        if item.get("use") != "old"
    ]


def _address(address: Json) -> dict[str, Any]:
    return present({part: address.get(part) for part in _ADDRESS_PARTS})


def label(concept: Json) -> str | None:
    """Return a CodeableConcept in words: its own, else those of its first code, else that code."""
    labels = [coding.get("display") or coding.get("code") for coding in codings(concept)]
    text: str | None = concept.get("text") or next(filter(None, labels), None)
    return text


def coded(concept: Json) -> list[dict[str, Any]]:
    """Return the codes of a CodeableConcept, as they were sent."""
    return [present({key: coding.get(key) for key in ("system", "code", "display")}) for coding in codings(concept)]


def _words(resource: Json) -> list[dict[str, Any]]:
    on = full_date(resource.get("sent"))
    return [
        present({"on": on.isoformat() if on else None, "words": item["contentString"]})
        for item in resource.get("payload", ())
        if "contentString" in item
    ] + notes(resource)


def notes(resource: Json) -> list[dict[str, Any]]:
    """Return the notes of a resource."""
    return [{"words": note["text"]} for note in resource.get("note", ()) if "text" in note]


def present(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that say something."""
    return {name: fact for name, fact in facts.items() if fact not in (None, [], {}, "")}


def make_traces(bundle: Bundle, patient: Located) -> Traces:
    """Return every string that gives the child or the family away, of three characters or more, as it was written."""
    traces: set[str] = set()
    carers = [carer.resource for carer in bundle.all("RelatedPerson")]
    for person in (patient.resource, *carers, *_contacts(patient.resource)):
        traces.update(_personal(person))
    for kind in ("Patient", "RelatedPerson", "Communication", "Condition", "Observation", "ServiceRequest", "Consent", "DocumentReference"):
        for found in bundle.all(kind):
            traces.update(_free_text(found.resource))
    return Traces(frozenset(trace for trace in traces if len(trace) >= _SHORTEST_TRACE))


def _personal(resource: Json) -> Iterator[str]:
    for name in resource.get("name", ()):
        for part in ("text", "family", "given"):
            for text in _strings(name, part):
                yield from _WORD.findall(text)
    for identifier in resource.get("identifier", ()):
        yield from _strings(identifier, "value")
    born = full_date(resource.get("birthDate"))
    if born is not None:
        yield from (born.isoformat(), born.strftime("%d/%m/%Y"), born.strftime("%Y%m%d"))
    for address in resource.get("address", ()):
        for part in ("text", "line", "postalCode"):
            yield from _strings(address, part)
        yield from _spacings(_strings(address, "postalCode"))
    for telecom in resource.get("telecom", ()):
        for value in _strings(telecom, "value"):
            yield from (value, value.replace(" ", ""))


def _spacings(postcodes: Iterable[str]) -> Iterator[str]:
    for postcode in postcodes:
        bare = postcode.replace(" ", "").upper()
        yield from (bare, f"{bare[:-3]} {bare[-3:]}")


def _free_text(resource: Json) -> Iterator[str]:
    yield from (item["contentString"] for item in resource.get("payload", ()) if "contentString" in item)
    yield from (note["text"] for note in resource.get("note", ()) if "text" in note)
    if "div" in resource.get("text", {}):
        yield resource["text"]["div"]


def _strings(element: Json, name: str) -> list[str]:
    value = element.get(name)
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []
