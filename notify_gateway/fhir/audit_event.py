# SPDX-License-Identifier: MIT
"""Entries of the log as FHIR AuditEvents, after IHE BALP: disclosure at source, create, update, delete, read, query.

The leaf is the record and an AuditEvent a view of it: ``entity`` of type "Other" names entry, hash and tree, by which it can be proved. The
patient is an identifier, never a reference: the pseudonym of the log's own domain, or the notification where there is none.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from audit.events import Event
from notify_gateway.fhir import names

Json = dict[str, Any]

PSEUDONYM_SYSTEM: Final = f"{names.BASE}/Id/audit-pseudonym"
ACTOR_SYSTEM: Final = f"{names.BASE}/Id/actor"
DELIVERY_SYSTEM: Final = f"{names.BASE}/Id/delivery"
ENTRY_SYSTEM: Final = f"{names.BASE}/Id/log-entry"
GSS: Final = "http://statistics.data.gov.uk/id/statistical-geography"
ODS: Final = "https://fhir.nhs.uk/Id/ods-organization-code"

_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_TERMS: Final = "http://terminology.hl7.org/CodeSystem"
_REST: Final = "http://hl7.org/fhir/restful-interaction"
_SCT: Final = "http://snomed.info/sct"
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

_EXPORT = {"system": _DCM, "code": "110106", "display": "Export"}
_RESTFUL = {"system": f"{_TERMS}/audit-event-type", "code": "rest", "display": "Restful Operation"}
_SIGN_IN = {"system": _DCM, "code": "110114", "display": "User Authentication"}
_SOURCE = {"system": _DCM, "code": "110153", "display": "Source Role ID"}
_DESTINATION = {"system": _DCM, "code": "110152", "display": "Destination Role ID"}
_CUSTODIAN = {"system": _SCT, "code": "159541003", "display": "Record keeping/library clerk"}
_PERSON = {"system": f"{_TERMS}/audit-entity-type", "code": "1", "display": "Person"}
_OBJECT = {"system": f"{_TERMS}/audit-entity-type", "code": "2", "display": "System Object"}
_OTHER = {"system": f"{_TERMS}/audit-entity-type", "code": "4", "display": "Other"}
_PATIENT = {"system": f"{_TERMS}/object-role", "code": "1", "display": "Patient"}
_DOMAIN_RESOURCE = {"system": f"{_TERMS}/object-role", "code": "4", "display": "Domain Resource"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What an event is as an AuditEvent. ``inbound``: data came from the actor to the service; else it went the other way.

    ``of_child``: the event is about a notification, and so about one child; else it is about the log or about access.
    """

    type: Mapping[str, str]
    subtype: Mapping[str, str]
    action: str
    inbound: bool = False
    of_child: bool = True
    outcome: str = "0"


_DISCLOSURE = Shape(
    _EXPORT, {"system": f"{_TERMS}/iso-21089-lifecycle", "code": "disclose", "display": "Disclose Record Lifecycle Event"}, "R"
)


def _rest(code: str, action: str, *, inbound: bool = True, of_child: bool = True, outcome: str = "0") -> Shape:
    return Shape(_RESTFUL, {"system": _REST, "code": code, "display": code}, action, inbound, of_child, outcome)


def _signing_in(outcome: str) -> Shape:
    login = {"system": _DCM, "code": "110122", "display": "Login"}
    return Shape(_SIGN_IN, login, "E", inbound=True, of_child=False, outcome=outcome)


SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "delivery:offered": _DISCLOSURE,
        "delivery:fetched": _DISCLOSURE,
        "delivery:received": _DISCLOSURE,
        "notification:accepted": _rest("create", "C"),
        "notification:refused": _rest("create", "C", of_child=False, outcome="4"),
        "notification:amended": _rest("update", "U"),
        "notification:transferred": _rest("update", "U"),
        "notification:withdrawn": _rest("delete", "D"),
        "notification:erased": _rest("delete", "D"),
        "delivery:acknowledged": _rest("update", "U"),
        "delivery:contacted": _rest("update", "U"),
        "delivery:outcome": _rest("update", "U"),
        "delivery:returned": _rest("update", "U"),
        "delivery:questioned": _rest("update", "U"),
        "delivery:question_closed": _rest("update", "U"),
        "envelope:opened": _rest("read", "R", inbound=False),
        "log:viewed": _rest("read", "R", inbound=False),
        "log_entries:viewed": _rest("read", "R", inbound=False, of_child=False),
        "log:searched": _rest("search-type", "E", inbound=False, of_child=False),
        "log:exported": Shape(
            _EXPORT,
            {"system": f"{_TERMS}/iso-21089-lifecycle", "code": "extract", "display": "Extract Record Lifecycle Event"},
            "R",
            of_child=False,
        ),
        "token:issued": _signing_in("0"),
        "access:denied": _signing_in("4"),
    }
)
"""The events that have a meaning in FHIR. What is not here moves nothing between organisations: queues, attempts, keys, the log's own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the entry stands: in which log, with which hash, in a signed tree of which size."""

    origin: str
    index: int
    leaf_hash: bytes
    tree_size: int


@dataclass(frozen=True, slots=True)
class About:
    """The notification that an event is about, as far as the log tells: its id, its sender, the child's pseudonym in the log's domain."""

    notification: str
    sender: str | None = None
    pseudonym: str | None = None


Token = tuple[str | None, str]
"""A code, and its system where that was given."""


def tags(type_: Token | None, subtype: Token | None) -> list[str]:
    """Return the tags of the events that have this type and this subtype; None is any."""
    return [tag for tag, shape in SHAPES.items() if _is(shape.type, type_) and _is(shape.subtype, subtype)]


def _is(coding: Mapping[str, str], token: Token | None) -> bool:
    return token is None or (token[0] in (None, coding["system"]) and token[1] == coding["code"])


def audit_event(event_id: UUID, event: Event, place: Place, *, service: str, about: About | None) -> Json:
    """Return the AuditEvent of an entry whose tag is in ``SHAPES``; ``service`` is the address of this deployment."""
    shape = SHAPES[event.tag]
    itself = {
        "who": {"identifier": {"system": "urn:ietf:rfc:3986", "value": service}},
        "requestor": False,
        "network": {"address": service, "type": "5"},
    }
    entities = _about(event, about) if shape.of_child and about is not None else []
    return {
        "resourceType": "AuditEvent",
        "id": str(event_id),
        "type": dict(shape.type),
        "subtype": [dict(shape.subtype)],
        "action": shape.action,
        "recorded": event.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "outcome": shape.outcome,
        "outcomeDesc": event.sentence(),
        "agent": list(_agents(event, shape, itself, about)),
        "source": {
            "site": place.origin,
            "observer": itself["who"],
            "type": [{"system": f"{_TERMS}/security-source-type", "code": "4", "display": "Application Server"}],
        },
        "entity": [*entities, _entry(event, place)],
    }


def _agents(event: Event, shape: Shape, itself: Json, about: About | None) -> Iterable[Json]:
    authority = event.fields.get("authority")
    if shape is _DISCLOSURE:
        yield {"type": _coded(_SOURCE)} | itself
        yield {"type": _coded(_DESTINATION)} | _other({"system": GSS, "value": str(authority)}, requestor=event.actor == authority)
        if about is not None and about.sender is not None:
            # The sender is the custodian of what is passed on; it is not a party of this step.
            yield {"type": _coded(_CUSTODIAN), "who": {"identifier": {"system": ODS, "value": about.sender}}, "requestor": False}
        return
    caller = _other(_identifier(event.actor, event), requestor=True)
    yield {"type": _coded(_SOURCE if shape.inbound else _DESTINATION)} | caller
    yield {"type": _coded(_DESTINATION if shape.inbound else _SOURCE)} | itself


def _other(identifier: Json, *, requestor: bool) -> Json:
    # The log records no address of a caller, so none can be told.
    absent = {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}
    return {"who": {"identifier": identifier}, "requestor": requestor, "network": absent}


def _identifier(actor: str, event: Event) -> Json:
    if actor == event.fields.get("authority"):
        return {"system": GSS, "value": actor}
    if actor == event.fields.get("sender"):
        return {"system": ODS, "value": actor}
    return {"system": ACTOR_SYSTEM, "value": actor}


def _about(event: Event, about: About) -> list[Json]:
    child = (PSEUDONYM_SYSTEM, about.pseudonym) if about.pseudonym else (names.NOTIFICATION_SYSTEM, about.notification)
    is_delivery = event.tag.startswith("delivery:")
    data = (DELIVERY_SYSTEM, event.subject) if is_delivery else (names.NOTIFICATION_SYSTEM, about.notification)
    return [
        {"what": {"type": "Patient", "identifier": {"system": child[0], "value": child[1]}}, "type": _PERSON, "role": _PATIENT},
        {
            "what": {"type": "Bundle", "identifier": {"system": data[0], "value": data[1]}},
            "type": _OBJECT,
            "role": _DOMAIN_RESOURCE,
            "detail": [{"type": "notification", "valueString": about.notification}],
        },
    ]


def _entry(event: Event, place: Place) -> Json:
    return {
        "what": {"identifier": {"system": ENTRY_SYSTEM, "value": f"{place.origin}#{place.index}"}},
        "type": _OTHER,
        "detail": [
            {"type": "tag", "valueString": event.tag},
            {"type": "leaf-index", "valueString": str(place.index)},
            {"type": "leaf-hash", "valueBase64Binary": b64encode(place.leaf_hash).decode()},
            {"type": "tree-size", "valueString": str(place.tree_size)},
            *({"type": name, "valueString": str(value)} for name, value in sorted(event.fields.items())),
        ],
    }


def _coded(coding: Mapping[str, str]) -> Json:
    return {"coding": [dict(coding)]}
