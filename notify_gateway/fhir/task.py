# SPDX-License-Identifier: MIT
"""What the sending trust may follow: one FHIR R4 Task per notification, coded, without a word of identity.

``status`` and ``businessStatus`` tell where the latest delivery stands, ``output`` what the authority did with it, ``statusReason`` why it
was sent back; the extension ``task-history`` tells all that happened to the notification, deliveries before an update included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from notify_gateway.domain.feedback import (
    OUTCOMES,
    QUESTIONS,
    SEND_BACK_REASONS,
    AuthorityOutcome,
    Happening,
    Question,
    SendBackReason,
    Words,
)
from notify_gateway.domain.lifecycle import TABLE, State
from notify_gateway.fhir import names

ODS: Final = "https://fhir.nhs.uk/Id/ods-organization-code"
AUTHORITY_OUTCOME: Final = f"{names.BASE}/CodeSystem/authority-outcome"
SENT_BACK_REASON: Final = f"{names.BASE}/CodeSystem/sent-back-reason"
AUTHORITY_QUESTION: Final = f"{names.BASE}/CodeSystem/authority-question"
TASK_HISTORY: Final = f"{names.BASE}/StructureDefinition/task-history"


class Told(StrEnum):
    """The kinds of thing that a Task tells, in ``output`` and in its history (code system task-output)."""

    ACCEPTED = "accepted"
    OFFERED = "offered"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    OUTCOME = "outcome"
    OUTCOME_ON = "outcome-on"
    QUESTION = "question"
    QUESTION_CLOSED = "question-closed"
    SENT_BACK = "sent-back"
    SUGGESTED_AUTHORITY = "suggested-authority"
    GIVEN_UP = "given-up"


TOLD: Final[Mapping[Told, Words]] = MappingProxyType(
    {
        Told.ACCEPTED: Words("Accepted", "When the service accepted a message of the notification."),
        Told.OFFERED: Words("Offered", "When it was handed to the authority's system."),
        Told.RECEIVED: Words("Received", "When the authority's system confirmed the digest of what it was given."),
        Told.ACKNOWLEDGED: Words("Acknowledged", "When a person at the authority took it on."),
        Told.CONTACTED: Words("Family contacted", "The day on which the authority says that it was in touch with the family."),
        Told.OUTCOME: Words("Outcome", "What the authority says came of it, as a code of authority-outcome."),
        Told.OUTCOME_ON: Words("Outcome date", "The day on which the authority says that it came to that."),
        Told.QUESTION: Words("Question", "What the authority asks, as a code of authority-question; answer it by an update."),
        Told.QUESTION_CLOSED: Words("Question taken back", "When the authority said that it waits for no answer any more."),
        Told.SENT_BACK: Words("Sent back", "When the authority said that it is not the responsible one."),
        Told.SUGGESTED_AUTHORITY: Words("Suggested authority", "The authority that it thinks is responsible, by GSS code."),
        Told.GIVEN_UP: Words("Given up", "When the service gave up handing it over: send again, or tell the authority by another way."),
    }
)


_SYSTEMS: Final[Mapping[Told, str]] = MappingProxyType(
    {
        Told.OUTCOME: AUTHORITY_OUTCOME,
        Told.QUESTION: AUTHORITY_QUESTION,
        Told.QUESTION_CLOSED: AUTHORITY_QUESTION,
        Told.SENT_BACK: SENT_BACK_REASON,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What a Task tells: ids, states, codes and times. ``present`` is of the latest delivery, ``history`` of all, in order of time."""

    notification_id: UUID
    reference: str
    state: State
    authority: str
    sender_ods: str
    accepted_at: datetime
    changed_at: datetime
    present: tuple[Happening, ...] = ()
    history: tuple[Happening, ...] = ()


def task_resource(facts: TaskFacts) -> dict[str, Any]:
    """Return the Task of a notification as JSON values; its status is the one that the life-cycle table gives for the state."""
    row = TABLE[facts.state]
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": str(facts.notification_id),
        "meta": {"lastUpdated": instant_text(facts.changed_at)},
        "identifier": [{"system": names.REFERENCE_SYSTEM, "value": facts.reference}],
        "status": row.task_status,
        "businessStatus": _concept(names.TASK_STATE, facts.state.value, row.label),
        "intent": "order",
        "code": {"coding": [{"system": names.MESSAGE_EVENT, "code": names.EVENT}]},
        "focus": {"identifier": {"system": names.NOTIFICATION_SYSTEM, "value": str(facts.notification_id)}},
        "authoredOn": instant_text(facts.accepted_at),
        "lastModified": instant_text(facts.changed_at),
        "requester": {"type": "Organization", "identifier": {"system": ODS, "value": facts.sender_ods}},
        "owner": _authority(facts.authority),
    }
    # Of what was said more than once, the last word stands; the history has them all.
    present = {each.what: each for each in facts.present}
    _forget_closed(present)
    if facts.state is State.SENT_BACK and (code := present[State.SENT_BACK.value].code) is not None:
        task["statusReason"] = _concept(SENT_BACK_REASON, code, SEND_BACK_REASONS[SendBackReason(code)].label)
    if outputs := list(_outputs(present.values())):
        task["output"] = outputs
    if facts.history:
        task["extension"] = [_happened(each) for each in facts.history]
    return task


def _forget_closed(present: dict[str, Happening]) -> None:
    """A question that was taken back is asked no more, and one that was asked since is not taken back."""
    asked, closed = (present.get(each) for each in (Told.QUESTION, Told.QUESTION_CLOSED))
    if asked is not None and closed is not None:
        del present[Told.QUESTION if asked.at <= closed.at else Told.QUESTION_CLOSED]


def instant_text(moment: datetime) -> str:
    """Return an instant in UTC as FHIR writes it, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _outputs(present: Iterable[Happening]) -> Iterator[dict[str, Any]]:
    for each in present:
        if each.code is not None and each.what == Told.OUTCOME:
            value = _concept(AUTHORITY_OUTCOME, each.code, OUTCOMES[AuthorityOutcome(each.code)].label)
            yield {"type": _kind(Told.OUTCOME), "valueCodeableConcept": value}
        elif each.code is not None and each.what == Told.QUESTION:
            value = _concept(AUTHORITY_QUESTION, each.code, QUESTIONS[Question(each.code)].label)
            yield {"type": _kind(Told.QUESTION), "valueCodeableConcept": value}
        elif each.what != Told.CONTACTED:
            yield {"type": _kind(Told(each.what)), "valueDateTime": instant_text(each.at)}
        if each.on is not None:
            yield {"type": _kind(Told.OUTCOME_ON if each.what == Told.OUTCOME else Told.CONTACTED), "valueDate": each.on.isoformat()}
        if each.suggested is not None:
            yield {"type": _kind(Told.SUGGESTED_AUTHORITY), "valueReference": _authority(each.suggested)}


def _happened(each: Happening) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "what", "valueCode": each.what},
        {"url": "at", "valueInstant": instant_text(each.at)},
        {"url": "event", "valueCode": each.event},
        {"url": "authority", "valueCode": each.authority},
    ]
    if each.on is not None:
        parts.append({"url": "on", "valueDate": each.on.isoformat()})
    if each.code is not None:
        system = _SYSTEMS[Told(each.what)]
        parts.append({"url": "code", "valueCoding": {"system": system, "code": each.code}})
    if each.suggested is not None:
        parts.append({"url": "suggested-authority", "valueCode": each.suggested})
    return {"url": TASK_HISTORY, "extension": parts}


def _kind(told: Told) -> dict[str, Any]:
    return _concept(names.TASK_OUTPUT, told.value, TOLD[told].label)


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _authority(gss: str) -> dict[str, Any]:
    return {"type": "Organization", "identifier": {"system": names.GSS, "value": gss}}
