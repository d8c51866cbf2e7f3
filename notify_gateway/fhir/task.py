# SPDX-License-Identifier: MIT
"""What the sending trust may follow: one FHIR R4 Task per notification, coded, without a word of identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from notify_gateway.domain.lifecycle import TABLE, State
from notify_gateway.fhir import names

_ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What a Task tells: ids, states, codes and times. ``outputs`` maps codes of task-output to a coded or dated answer."""

    notification_id: UUID
    reference: str
    state: State
    authority: str
    sender_ods: str
    accepted_at: datetime
    changed_at: datetime
    outputs: Mapping[str, str | date | datetime] = field(default_factory=dict)


def task_resource(facts: TaskFacts) -> dict[str, Any]:
    """Return the Task of a notification as JSON values; its status is the one that the life-cycle table gives for the state."""
    row = TABLE[facts.state]
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": str(facts.notification_id),
        "meta": {"lastUpdated": _instant(facts.changed_at)},
        "identifier": [{"system": names.REFERENCE_SYSTEM, "value": facts.reference}],
        "status": row.task_status,
        "businessStatus": {"coding": [{"system": names.TASK_STATE, "code": facts.state.value, "display": row.label}]},
        "intent": "order",
        "code": {"coding": [{"system": names.MESSAGE_EVENT, "code": names.EVENT}]},
        "focus": {"identifier": {"system": names.NOTIFICATION_SYSTEM, "value": str(facts.notification_id)}},
        "authoredOn": _instant(facts.accepted_at),
        "lastModified": _instant(facts.changed_at),
        "requester": {"type": "Organization", "identifier": {"system": _ODS, "value": facts.sender_ods}},
        "owner": {"type": "Organization", "identifier": {"system": names.GSS, "value": facts.authority}},
    }
    if facts.outputs:
        task["output"] = [_output(code, answer) for code, answer in facts.outputs.items()]
    return task


def _output(code: str, answer: str | date | datetime) -> dict[str, Any]:
    kind = {"coding": [{"system": names.TASK_OUTPUT, "code": code}]}
    if isinstance(answer, datetime):
        return {"type": kind, "valueDateTime": _instant(answer)}
    if isinstance(answer, date):
        return {"type": kind, "valueDate": answer.isoformat()}
    return {"type": kind, "valueCode": answer}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
