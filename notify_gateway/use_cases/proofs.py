# SPDX-License-Identifier: MIT
"""Proofs of the log for those who were promised them, and whether the log keeps up."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from audit.log import latest_checkpoint, oldest_pending_age, receipt_for
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, Unavailable
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Proof:
    """A leaf, word for word, and the receipt that proves its place in the log; both are needed to verify offline."""

    leaf: bytes
    receipt: str


def proof_of(gateway: Gateway, event_id: UUID) -> Proof:
    """Return the proof of an event; raises ``Unavailable`` while it waits to be signed, ``NotFound`` when there is no such event."""
    with reading(gateway.engine).begin() as connection:
        held, pending = audit_tables.leaf.c, audit_tables.pending.c
        # In the order in which events move: whoever looked at the log first could miss one that is sequenced between the two looks.
        waiting = connection.scalar(select(pending.event_id).where(pending.event_id == event_id))
        leaf = connection.scalar(select(held.leaf).where(held.event_id == event_id))
        receipt = receipt_for(connection, audit_tables, event_id)
    if leaf is not None and receipt is not None:
        return Proof(leaf, receipt)
    if leaf is None and waiting is None:
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    raise Unavailable(Code.LOG_BEHIND, retry_after=1)


def checkpoint(gateway: Gateway) -> str | None:
    """Return the latest signed checkpoint, or None before the first."""
    with reading(gateway.engine).begin() as connection:
        return latest_checkpoint(connection, audit_tables)


def require_log_in_time(gateway: Gateway) -> None:
    """Raise ``Unavailable`` when the oldest pending event is older than the promise allows: nothing more is accepted or disclosed then."""
    age = pending_age(gateway)
    if age is not None and age > gateway.settings.promise_within.total_seconds():
        raise Unavailable(Code.LOG_BEHIND, retry_after=10)


def pending_age(gateway: Gateway) -> float | None:
    """Return the age in seconds of the oldest event that is not in the log yet, or None when there is none."""
    with reading(gateway.engine).begin() as connection:
        return oldest_pending_age(connection, audit_tables, gateway.clock.now())
