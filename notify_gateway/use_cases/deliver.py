# SPDX-License-Identifier: MIT
"""Delivering: find what is due, commit the attempt before the effect, record the result. A delivery handled twice has one effect."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, Row

from audit.events import Event
from audit.log import append
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Hint, Outgoing
from notify_gateway.domain.route import ChannelName
from notify_gateway.privacy.sealing import CannotOpen, strip_outer
from notify_gateway.store import mesh, outbox, shred
from notify_gateway.store.tables import audit_tables
from notify_gateway.telemetry.metrics import ATTEMPTS
from notify_gateway.use_cases import setbacks
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.gateway_keys import vouched
from notify_gateway.use_cases.inbox import arrive

MOST_LOADED = 8 * 1024 * 1024
"""Bytes of sealed envelopes that one task loads, if it has more than one delivery; a document takes about three times as much."""
UNSETTLED_AFTER = timedelta(minutes=5)
"""After this, an attempt of which nothing was heard is recorded as one whose result is not known."""


def find_due(core: Core, *, limit: int = 2048, batch: int = 64) -> list[Hint]:
    """Return hints at what is due and free: in each at most ``batch`` deliveries of one authority and channel.

    Those of a hint are loaded together, so what is large (attachments) makes the hint shorter. The first hint of every authority comes
    before the second of any; of each, at most ``most_under_way`` deliveries are hinted or under way at once.
    """
    now, chosen = core.clock.now(), core.settings
    look = outbox.Look(
        now=now,
        hinted_before=now - chosen.rehint_after,
        limit=limit,
        share=chosen.most_under_way,
        probe_again_at=now + chosen.rehint_after + chosen.lease,
    )
    with core.engine.begin() as connection:
        due = outbox.take_due(connection, look)
    groups: dict[tuple[object, ...], list[outbox.Due]] = {}
    for item in due:
        groups.setdefault((item.authority, item.channel, item.id if item.suspect else None), []).append(item)
    rounds = zip_longest(*(_in_parts(items, batch) for items in groups.values()))
    return [Hint(part[0].authority, part[0].channel, tuple(str(item.id) for item in part)) for part in chain(*rounds) if part]


def _in_parts(items: Iterable[outbox.Due], most: int) -> Iterator[list[outbox.Due]]:
    part: list[outbox.Due] = []
    size = 0
    for item in items:
        if part and (len(part) == most or size + item.size > MOST_LOADED):
            yield part
            part, size = [], 0
        part.append(item)
        size += item.size
    if part:
        yield part


def begin_attempts(core: Core, ids: Sequence[UUID], *, owner: str) -> list[Outgoing]:
    """Claim what can be claimed of ``ids`` and return it ready to go out; the attempt stands in the log before this returns."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        lost = outbox.lost(connection, ids, now=now)
        claimed = outbox.claim(connection, ids, owner=owner, now=now, until=now + core.settings.lease)
        if not claimed:
            return []
        unsettled = [_unsettled(item, lost[item.id], now) for item in claimed if item.id in lost]
        append(connection, audit_tables, [*unsettled, *(_attempted(item, owner, now) for item in claimed)])
        parts = outbox.parts(connection, [item.message_id for item in claimed])
        given_back = mesh.given_back(connection, [item.id for item in claimed if item.channel == ChannelName.MESH])
    keys = shred.find(core.shred_engine, parts)
    receivers = core.receivers.get()
    outgoing: list[Outgoing] = []
    damaged: list[AttemptResult] = []
    for item in claimed:
        if item.counted > core.settings.most_attempts:
            # Its last attempts ended with the workers that made them: perhaps it is what ends them.
            damaged.append(AttemptResult(item.id, item.attempt, AttemptOutcome.RETRY, "no-result"))
            continue
        receiver = receivers.get(item.authority)
        try:
            content = document(core, item, parts[item.message_id], keys.get(item.message_id))
        except CannotOpen:
            # One damaged row must not hold up those that were hinted with it; it waits longer each time, with a code that says why.
            damaged.append(AttemptResult(item.id, item.attempt, AttemptOutcome.RETRY, "envelope-damaged"))
            continue
        # A delivery keeps the channel that it was queued for; the route of another channel is none of its business.
        route = receiver.route if receiver and receiver.channel == item.channel else {}
        outgoing.append(Outgoing(item.id, item.authority, item.channel, item.attempt, route, content, given_back.get(item.id, 0)))
    if damaged:
        finish_attempts(core, damaged, owner=owner)
    return outgoing


def renew_leases(core: Core, ids: Sequence[UUID], *, owner: str) -> None:
    """Lengthen the leases of deliveries that are still under way."""
    with core.engine.begin() as connection:
        outbox.renew(connection, ids, owner=owner, until=core.clock.now() + core.settings.lease)


def finish_attempts(core: Core, results: Sequence[AttemptResult], *, owner: str) -> None:
    """Record what became of the attempts, in one transaction.

    A confirmed receipt counts whoever reports it, for it is a fact; a failure counts only from the worker that still holds the lease.
    """
    now = core.clock.now()
    with core.engine.begin() as connection:
        rows = outbox.locked(connection, [result.delivery_id for result in results])
        changes: dict[str, list[dict[str, Any]]] = {"offered": [], "received": [], "retry": []}
        told: list[setbacks.Told] = []
        carried: list[mesh.Kept] = []
        for result in results:
            row = rows.get(result.delivery_id)
            if row is None or row.state != "queued" or (result.outcome == "retry" and row.lease_owner != owner):
                continue
            told.append((result, row))
            if result.outcome != "retry":
                changes[result.outcome].append(_change(result, row, now))
            if result.remote is not None:
                carried.append(mesh.Kept(result.delivery_id, result.remote, result.code if result.outcome == "retry" else None))
        events = [_resulted(result, row, now) for result, row in told]
        appended = append(connection, audit_tables, events)
        changes["retry"] = setbacks.settle(core, connection, told, now=now)
        by_subject = {event.subject: made.event_id for event, made in zip(events, appended, strict=True)}
        for change in changes["received"]:
            change["received_event"] = by_subject[str(change["id"])]
        in_inbox = [row for result, row in told if result.outcome == "received" and row.channel == ChannelName.INBOX]
        arrive.take_in(connection, in_inbox, now=now, events={row.id: by_subject[str(row.id)] for row in in_inbox})
        for kind in changes.values():
            outbox.write(connection, kind)
        mesh.keep(connection, carried, now=now, look_at=now + core.settings.mesh_track_every)
    for result, row in told:
        ATTEMPTS.labels(row.channel, result.code).inc()


def settle_offered(core: Core, connection: Connection, result: AttemptResult, *, now: datetime) -> bool:
    """Record, in the caller's transaction, what became of a delivery that a carrier holds; tell whether it was still offered.

    Received is final. What the carrier gave back is due again as after any failed attempt, unless a later delivery has left meanwhile: then
    it has been superseded by that, for the order is kept.
    """
    row = outbox.locked(connection, [result.delivery_id]).get(result.delivery_id)
    if row is None or row.state != "offered":
        return False
    (made,) = append(connection, audit_tables, [_resulted(result, row, now)])
    changes = setbacks.settle(core, connection, [(result, row)], now=now)
    if result.outcome == "received":
        changes = [_change(result, row, now) | {"received_event": made.event_id}]
    outbox.write(connection, changes)
    return True


def give_up_lost_attempts(core: Core) -> int:
    """Record, of attempts whose worker has long been silent, that no result is known; return how many. What is due goes out again."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        lost = outbox.give_up_lost(connection, before=now - UNSETTLED_AFTER)
        append(connection, audit_tables, [_unsettled(item, item.attempt, now) for item in lost])
    return len(lost)


def document(core: Core, item: outbox.Claimed | Row[Any], parts: outbox.Parts, shred_key: bytes | None) -> bytes:
    """Return the delivery document: always the same bytes for the same delivery.

    The outer layer is stripped here. A withdrawal, and what was erased (its shred key is gone), go out with the view alone.
    """
    envelopes = {
        envelope.kind: {
            "header": b64encode(envelope.header).decode(),
            "signature": b64encode(vouched(core, envelope.header, envelope.signature)).decode(),
            "sealed": b64encode(strip_outer(envelope.stored, shred_key, item.notification_id, envelope.kind)).decode(),
        }
        for envelope in parts.envelopes
        if shred_key is not None and item.event != "delete"
    }
    return orjson.dumps(
        {
            "format": "notify-gateway/delivery",
            "version": 1,
            "delivery_id": str(item.id),
            "notification_id": str(item.notification_id),
            "message_id": str(item.message_id),
            "reference": parts.reference,
            "authority": item.authority,
            "event": item.event,
            "view": orjson.Fragment(parts.view),
            "view_digest": parts.view_digest.hex(),
            "envelopes": envelopes,
            "gateway_key": core.signing_key.kid,
        }
    )


def _change(result: AttemptResult, row: Row[Any], now: datetime) -> dict[str, Any]:
    change: dict[str, Any] = {"id": result.delivery_id, "lease_owner": None, "lease_until": None, "last_code": result.code}
    if result.outcome == "offered":
        return change | {"state": "offered", "offered_at": now}
    digest = bytes.fromhex(result.digest) if result.digest else None
    return change | {"state": "received", "offered_at": row.offered_at or now, "received_at": now, "document_digest": digest}


def _attempted(item: outbox.Claimed, owner: str, now: datetime) -> Event:
    return Event(
        "delivery:attempted",
        at=now,
        actor=f"worker:{owner}",
        subject=str(item.id),
        fields={
            "notification": str(item.notification_id),
            "authority": item.authority,
            "channel": item.channel,
            "attempt": item.attempt,
        },
    )


def _unsettled(item: outbox.Claimed, attempt: int, now: datetime) -> Event:
    fields: dict[str, str | int] = {"notification": str(item.notification_id), "authority": item.authority, "channel": item.channel}
    return Event("delivery:unsettled", at=now, actor="service", subject=str(item.id), fields={**fields, "attempt": attempt})


def _resulted(result: AttemptResult, row: Row[Any], now: datetime) -> Event:
    tag = {"offered": "delivery:offered", "received": "delivery:received", "retry": "delivery:failed"}[result.outcome]
    fields: dict[str, str | int] = {"notification": str(row.notification_id), "authority": row.authority, "channel": row.channel}
    if result.outcome == "received":
        fields |= {"attempt": result.attempt, "digest": result.digest or "unknown"}
    elif result.outcome == "retry":
        fields |= {"attempt": result.attempt, "code": result.code}
    return Event(tag, at=now, actor="service", subject=str(result.delivery_id), fields=fields)


def new_owner() -> str:
    """Return a fresh name for a worker that holds leases."""
    return hashlib.sha256(uuid4().bytes).hexdigest()[:16]
