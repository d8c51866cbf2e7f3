# SPDX-License-Identifier: MIT
"""Tasks as FHIR answers: one notification as its sender sees it, and a searchset of several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from notify_gateway.domain.lifecycle import State
from notify_gateway.fhir.task import TaskFacts, task_resource
from notify_gateway.store.tracking import Tracked


def task(stands: Tracked, *, sender_ods: str) -> dict[str, Any]:
    """Return the Task of a notification as its sender sees it."""
    return task_resource(
        TaskFacts(
            notification_id=stands.id,
            reference=stands.reference,
            # Once a withdrawal is on its way the trust need not wait for it to arrive: the notification is withdrawn.
            state=State.CANCELLED if stands.event == "delete" else State(stands.state),
            authority=stands.authority,
            sender_ods=sender_ods,
            accepted_at=stands.accepted_at,
            changed_at=stands.changed_at,
            present=stands.present,
            history=stands.history,
        )
    )


def searchset(base: str, found: Iterable[Tracked], *, sender_ods: str, links: dict[str, str], total: int | None = None) -> dict[str, Any]:
    """Return a searchset Bundle of Tasks; ``base`` is the address of the Task type, and no link holds an identifier."""
    entries = [
        {"fullUrl": f"{base}/{each.id}", "resource": task(each, sender_ods=sender_ods), "search": {"mode": "match"}} for each in found
    ]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "searchset",
        "link": [{"relation": relation, "url": url} for relation, url in links.items()],
    }
    if total is not None:
        bundle["total"] = total
    return bundle | {"entry": entries} if entries else bundle
