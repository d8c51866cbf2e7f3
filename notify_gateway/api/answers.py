# SPDX-License-Identifier: MIT
"""The front door's answers as FHIR: what was accepted, with its promise and proof, and where it stands."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

from notify_gateway.domain.lifecycle import State
from notify_gateway.fhir import names
from notify_gateway.fhir.task import TaskFacts, task_resource
from notify_gateway.store.tracking import Tracked
from notify_gateway.use_cases.accept import Accepted

ACCEPTANCE = f"{names.BASE}/StructureDefinition/acceptance"


def acceptance_outcome(accepted: Accepted, *, promise: str, receipt: str | None) -> dict[str, Any]:
    """Return an informational OperationOutcome.

    Its ``acceptance`` extension holds the reference, the authority, the leaf of the log (base64), the signed promise and, if it was waited
    for, the receipt: all that the sender needs to verify offline, now or later, that its notification stands in the log.
    """
    proofs: list[dict[str, str]] = [
        {"url": "reference", "valueString": accepted.reference},
        {"url": "authority", "valueCode": accepted.authority},
        {"url": "leaf", "valueBase64Binary": b64encode(accepted.leaf).decode()},
        {"url": "promise", "valueString": promise},
    ]
    if receipt is not None:
        proofs.append({"url": "receipt", "valueString": receipt})
    return {
        "resourceType": "OperationOutcome",
        "extension": [{"url": ACCEPTANCE, "extension": proofs}],
        "issue": [
            {
                "severity": "information",
                "code": "informational",
                "details": {"text": f"Accepted as {accepted.reference} for authority {accepted.authority}"},
                "diagnostics": "Kept and queued for delivery. The Task in Location tells what becomes of it.",
            }
        ],
    }


def task(stands: Tracked, *, sender_ods: str) -> dict[str, Any]:
    """Return the Task of a notification as its sender sees it."""
    reached: dict[str, datetime | None] = {
        "offered": stands.offered_at,
        "received": stands.received_at,
        "acknowledged": stands.acknowledged_at,
    }
    outputs = {code: at for code, at in reached.items() if at is not None}
    facts = TaskFacts(
        notification_id=stands.id,
        reference=stands.reference,
        # Once a withdrawal is on its way the trust need not wait for it to arrive: the notification is withdrawn.
        state=State.CANCELLED if stands.event == "delete" else State(stands.state),
        authority=stands.authority,
        sender_ods=sender_ods,
        accepted_at=stands.accepted_at,
        changed_at=max([stands.accepted_at, *outputs.values()]),
        outputs=outputs,
    )
    return task_resource(facts)
