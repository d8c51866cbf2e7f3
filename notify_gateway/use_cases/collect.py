# SPDX-License-Identifier: MIT
"""What an authority does at the collection point: list, fetch, confirm that it has it, acknowledge.

A delivery waits in one place. What was queued for the inbox is listed, fetched and confirmed with ``inbox`` alone, which its pages say and
the calls of an authority's system do not: a forgotten script must not take from the officers what only they will look for.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Row

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound
from notify_gateway.domain.route import ChannelName
from notify_gateway.store import outbox, shred
from notify_gateway.store.collection import AuthorityDeliveries, Step, Waiting
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.deliver import document
from notify_gateway.use_cases.gateway import Core, Gateway
from notify_gateway.use_cases.inbox import arrive, follow

COLLECTABLE = ("offered", "received", "acknowledged", "contacted", "outcome")
OVERTAKEN = ("superseded", "cancelled")
SENT_BACK = "sent-back"


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """Where a delivery stands, for the authority that it is for."""

    delivery_id: UUID
    state: str
    received_at: datetime | None
    acknowledged_at: datetime | None
    steps: tuple[Step, ...] = ()


def list_waiting(gateway: Gateway, *, authority: str, limit: int, after: UUID | None = None, inbox: bool = False) -> list[Waiting]:
    """Return what waits to be fetched, oldest first, from behind ``after`` on; raises ``NotFound`` when that is not the authority's."""
    with reading(gateway.engine).begin() as connection:
        own = AuthorityDeliveries(connection, authority)
        place = None
        if after is not None:
            row = own.find(after)
            if row is None or row.offered_at is None:
                raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
            place = (row.offered_at, row.id)
        return own.waiting(limit=limit, after=place, inbox=inbox)


def fetch(gateway: Gateway, *, authority: str, delivery_id: UUID, inbox: bool = False) -> bytes:
    """Return the delivery document; that it was handed over stands in the log first. Fetching is not receiving.

    Raises ``NotFound`` for a delivery that is not the authority's, or not offered here, and ``Conflict`` for one that was overtaken.
    """
    now = gateway.clock.now()
    with gateway.engine.begin() as connection:
        row = own_delivery(connection, authority, delivery_id, inbox=inbox)
        fields: dict[str, str | int] = {"notification": str(row.notification_id), "authority": authority}
        append(connection, audit_tables, [Event("delivery:fetched", at=now, actor=authority, subject=str(delivery_id), fields=fields)])
        parts = outbox.parts(connection, [row.message_id])[row.message_id]
    key = shred.find(gateway.shred_engine, [row.message_id]).get(row.message_id)
    return document(gateway, row, parts, key)


def confirm_received(gateway: Core, *, authority: str, delivery_id: UUID, digest: bytes, inbox: bool = False) -> DeliveryState:
    """Record that the authority's system holds the document whose SHA-256 is ``digest``; a second call changes nothing.

    Raises ``NotFound``, or ``Conflict`` when the digest is not that of the document.
    """
    now = gateway.clock.now()
    with reading(gateway.engine).begin() as connection:
        row = own_delivery(connection, authority, delivery_id, inbox=inbox)
        parts = outbox.parts(connection, [row.message_id])[row.message_id]
    key = shred.find(gateway.shred_engine, [row.message_id]).get(row.message_id)
    if not hmac.compare_digest(hashlib.sha256(document(gateway, row, parts, key)).digest(), digest):
        raise Conflict(Issue(Code.DELIVERY_DIGEST))
    with gateway.engine.begin() as connection:
        row = own_delivery(connection, authority, delivery_id, lock=True)
        if row.state == "offered":
            fields: dict[str, str | int] = {
                "notification": str(row.notification_id),
                "authority": authority,
                "channel": row.channel,
                "attempt": row.attempts,
                "digest": digest.hex(),
            }
            event = Event("delivery:received", at=now, actor=authority, subject=str(delivery_id), fields=fields)
            made = append(connection, audit_tables, [event])[0]
            change = {"state": "received", "received_at": now, "received_event": made.event_id, "document_digest": digest}
            outbox.write(connection, [{"id": delivery_id, **change}])
            if row.channel == ChannelName.INBOX:
                arrive.take_in(connection, [row], now=now, events={delivery_id: made.event_id})
        return state_now(connection, authority, delivery_id)


def acknowledge(gateway: Gateway, *, authority: str, delivery_id: UUID) -> DeliveryState:
    """Record that a person at the authority has taken the notification up; a second call returns the first result.

    Raises ``NotFound``, or ``Conflict`` while the authority has not confirmed that it holds the document.
    """
    now = gateway.clock.now()
    with gateway.engine.begin() as connection:
        if take_up(connection, authority=authority, delivery_id=delivery_id, actor=authority, now=now) is not None:
            follow.by_system(connection, authority, delivery_id, now=now)
        return state_now(connection, authority, delivery_id)


def take_up(connection: Connection, *, authority: str, delivery_id: UUID, actor: str, now: datetime) -> UUID | None:
    """The delivery is acknowledged, if it was only received until now; return the event then. Raises as ``acknowledge``."""
    row = own_delivery(connection, authority, delivery_id, lock=True)
    if row.state == "offered":
        raise Conflict(Issue(Code.DELIVERY_STATE))
    if row.state != "received":
        return None
    fields: dict[str, str | int] = {"notification": str(row.notification_id), "authority": authority}
    event = Event("delivery:acknowledged", at=now, actor=actor, subject=str(delivery_id), fields=fields)
    made = append(connection, audit_tables, [event])[0]
    outbox.write(connection, [{"id": delivery_id, "state": "acknowledged", "acknowledged_at": now, "acknowledged_event": made.event_id}])
    return made.event_id


def state_of(gateway: Gateway, *, authority: str, delivery_id: UUID) -> DeliveryState:
    """Return where the delivery stands and what the authority has said of it; raises ``NotFound`` or, for one overtaken, ``Conflict``."""
    with reading(gateway.engine).begin() as connection:
        own_delivery(connection, authority, delivery_id, sent_back=True)
        return state_now(connection, authority, delivery_id)


def receipt_events(gateway: Gateway, *, authority: str, delivery_id: UUID) -> dict[str, UUID]:
    """Return the audit events whose receipts are the authority's, as far as they have happened; of a repeated step the last.

    ``received``, ``acknowledged``, ``contacted``, ``outcome``, ``sent-back``.
    """
    with reading(gateway.engine).begin() as connection:
        row = own_delivery(connection, authority, delivery_id, sent_back=True)
        steps = AuthorityDeliveries(connection, authority).steps(delivery_id)
    found = {"received": row.received_event, "acknowledged": row.acknowledged_event} | {step.step: step.event_id for step in steps}
    return {name: event for name, event in found.items() if event is not None}


def waiting_json(item: Waiting) -> dict[str, Any]:
    """Return a list entry as JSON values."""
    return {
        "delivery_id": str(item.id),
        "reference": item.reference,
        "event": item.event,
        "state": item.state,
        "offered_at": item.offered_at.isoformat(),
        "view": orjson.loads(item.view),
    }


def own_delivery(
    connection: Connection,
    authority: str,
    delivery_id: UUID,
    *,
    lock: bool = False,
    sent_back: bool = False,
    inbox: bool | None = None,
) -> Row[Any]:
    """Return the authority's delivery; with ``sent_back`` also one that it has sent back, of which it may still speak.

    With ``inbox`` true only one that waits, or waited, in the inbox; with it false only one that does not.

    Raises ``NotFound`` for a delivery that is not the authority's, or not offered yet, and ``Conflict`` for one that was overtaken.
    """
    row = AuthorityDeliveries(connection, authority).find(delivery_id, lock=lock)
    if row is not None and inbox is not None and (row.channel == ChannelName.INBOX) != inbox:
        row = None
    if row is not None and row.state == SENT_BACK:
        if sent_back:
            return row
        raise Conflict(Issue(Code.DELIVERY_STATE))
    if row is not None and row.state in OVERTAKEN and row.offered_at is not None:
        raise Conflict(Issue(Code.DELIVERY_STATE))
    if row is None or row.state not in COLLECTABLE:
        raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
    return row


def state_now(connection: Connection, authority: str, delivery_id: UUID) -> DeliveryState:
    """Return where the authority's delivery stands; raises ``NotFound`` when it has none of that id."""
    own = AuthorityDeliveries(connection, authority)
    row = own.find(delivery_id)
    if row is None:
        raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
    return DeliveryState(row.id, row.state, row.received_at, row.acknowledged_at, own.steps(delivery_id))
