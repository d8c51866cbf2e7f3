# SPDX-License-Identifier: MIT
"""Committing acceptances in groups: all of a group in one transaction, each answered for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from audit.bulk import insert_all
from audit.events import Event
from audit.log import Appended, append, pending_rows
from notify_gateway.store import shred
from notify_gateway.store.acceptance import Acceptance, Envelope, Outcome, Standing
from notify_gateway.store.amendment import Held, add_delivery, channel_of, latest_version, move, overtake
from notify_gateway.store.standing import standing_of
from notify_gateway.store.tables import ages, audit_tables, deliveries, envelopes, messages, notifications, thread_keys

Row: TypeAlias = dict[str, Any]
ThreadKey: TypeAlias = tuple[str, int, str]


def commit_group(engine: Engine, shred_engine: Engine, group: Sequence[Acceptance], refusals: Sequence[Appended] = ()) -> list[Outcome]:
    """Commit a group; return the outcome of each, in order.

    When this returns, every ``ACCEPTED`` one is durable with its delivery and its audit event, and so is each of ``refusals``. Shred keys
    are durable before anything that they protect. Two of a group that exclude each other are taken one after the other, and a group that
    another process spoils is taken one by one.
    """
    outcomes: dict[int, Outcome] = {}
    for part in _without_rivals(group):
        results = _commit_part(engine, shred_engine, [group[i] for i in part], refusals)
        outcomes.update(zip(part, results, strict=True))
        refusals = ()
    if refusals:
        _commit(engine, shred_engine, [], refusals)
    return [outcomes[i] for i in range(len(group))]


def _commit_part(engine: Engine, shred_engine: Engine, part: Sequence[Acceptance], refusals: Sequence[Appended]) -> list[Outcome]:
    """Commit without looking first, for nearly all that comes is new; look once the unique keys object; part from a rival at last."""
    if all(a.amends is None for a in part):
        with suppress(IntegrityError):
            return _commit(engine, shred_engine, part, refusals, hopeful=True)
    with suppress(IntegrityError):
        return _commit(engine, shred_engine, part, refusals)
    results = [_commit_alone(engine, shred_engine, acceptance) for acceptance in part]
    if refusals:
        _commit(engine, shred_engine, [], refusals)
    return results


def _without_rivals(group: Sequence[Acceptance]) -> Iterator[list[int]]:
    waiting = list(range(len(group)))
    while waiting:
        seen: set[tuple[object, ...]] = set()
        part: list[int] = []
        later: list[int] = []
        for i in waiting:
            a = group[i]
            keys = {(a.client_id, "m", a.message_key), (a.client_id, "b", a.business_key), (a.client_id, "r", a.request_id)}
            (later if keys & seen else part).append(i)
            seen |= keys
        yield part
        waiting = later


def _commit_alone(engine: Engine, shred_engine: Engine, acceptance: Acceptance) -> Outcome:
    # The rival that broke the group has committed by now, so the second look finds it; a third try would mean a broken invariant.
    try:
        return _commit(engine, shred_engine, [acceptance], ())[0]
    except IntegrityError:
        return _commit(engine, shred_engine, [acceptance], ())[0]


def _commit(
    engine: Engine, shred_engine: Engine, group: Sequence[Acceptance], refusals: Sequence[Appended], *, hopeful: bool = False
) -> list[Outcome]:
    if group:
        shred.keep(shred_engine, [(a.message_id, a.shred_key, a.at) for a in group if a.shred_key is not None])
    with engine.begin() as connection:
        standing = standing_of(connection, group, hopeful=hopeful) if group else {}
        amendments = sorted((a for a in group if a.amends and a.message_id not in standing), key=lambda a: a.notification_id)
        for a in amendments:
            latest = latest_version(connection, a.notification_id)
            if a.version_at <= latest:
                standing[a.message_id] = Outcome(Standing.OLDER, a.notification_id)
            elif a.amends is not None and a.amends.version_at != latest:
                standing[a.message_id] = Outcome(Standing.OVERTAKEN, a.notification_id)
        kept = [a for a in group if a.message_id not in standing]
        _insert(connection, kept, refusals)
    if standing:
        shred.forget(shred_engine, list(standing))
    return [standing.get(a.message_id, Outcome(Standing.ACCEPTED, a.notification_id)) for a in group]


def _insert(connection: Connection, kept: Sequence[Acceptance], refusals: Sequence[Appended]) -> None:
    threads = _threads(connection, kept)
    new = [a for a in kept if a.amends is None]
    insert_all(
        connection,
        [
            (notifications, [_notification_row(a, threads[a.message_id]) for a in new]),
            (messages, [_message_row(a) for a in kept]),
            (envelopes, [_envelope_row(a, e) for a in kept for e in a.envelopes]),
            (ages, [_age_row(a) for a in kept if a.age_months_at_opinion is not None]),
            (deliveries, [_delivery_row(a) | {"sequence": 1} for a in new]),
            (audit_tables.pending, pending_rows([*(leaf for a in kept for leaf in (a.leaf, *a.further)), *refusals])),
        ],
    )
    for a in kept:
        if a.amends is not None:
            _amend(connection, a, a.amends, threads[a.message_id])


def _amend(connection: Connection, a: Acceptance, held: Held, thread_id: UUID) -> None:
    """Overtake what waits and queue what follows: at the authority that held the notification, and at another one it moves to."""
    withdrawn = a.event == "delete" or a.authority != held.authority
    known, overtaken = overtake(connection, notification_id=a.notification_id, authority=held.authority, now=a.at, withdrawn=withdrawn)
    row = _delivery_row(a)
    successor = row["id"]
    if withdrawn:
        # Where nothing has left, there is nothing to take back: the withdrawal is complete at once.
        state = "queued" if known else "cancelled"
        # The authority it leaves must not be shown the view that was made for another: it is told by the message that it knows.
        gone = {
            "id": uuid4(),
            "message_id": a.message_id if a.event == "delete" else held.message_id,
            "authority": held.authority,
            "channel": channel_of(connection, held.authority),
            "event": "delete",
            "state": state,
        }
        successor = add_delivery(connection, row | gone)
        _tell(connection, a, "delivery:queued" if known else "delivery:cancelled", successor, authority=held.authority)
    for delivery_id, state in overtaken.items():
        more = {"successor": str(successor)} if state == "superseded" else {}
        _tell(connection, a, f"delivery:{state}", delivery_id, authority=held.authority, **more)
    if a.event == "delete":
        return
    if a.authority != held.authority:
        row |= {"event": "new"}
    add_delivery(connection, row)
    move(
        connection,
        notification_id=a.notification_id,
        authority=a.authority,
        thread_id=thread_id if a.thread_values else None,
        child_key=a.child_key,
    )


def _tell(connection: Connection, a: Acceptance, tag: str, delivery_id: UUID, **fields: str) -> None:
    event = Event(tag, at=a.at, actor="gateway", subject=str(delivery_id), fields={"notification": str(a.notification_id), **fields})
    append(connection, audit_tables, [event])


def _threads(connection: Connection, kept: Sequence[Acceptance]) -> dict[UUID, UUID]:
    """Find or begin each child's thread at its authority. Keys are written in sorted order, so that two groups cannot deadlock."""
    older = {(a.authority, version, value) for a in kept for version, value in a.thread_values[1:]}
    known = _known_threads(connection, older)
    proposed: dict[ThreadKey, tuple[UUID, datetime]] = {}
    for a in kept:
        if a.thread_values:
            newest, *others = [(a.authority, version, value) for version, value in a.thread_values]
            thread = next((known[key] for key in others if key in known), a.proposed_thread)
            proposed.setdefault(newest, (thread, a.at))
    threads = _keep_thread_keys(connection, proposed)
    return {a.message_id: threads[(a.authority, *a.thread_values[0])] if a.thread_values else a.proposed_thread for a in kept}


def _keep_thread_keys(connection: Connection, proposed: dict[ThreadKey, tuple[UUID, datetime]]) -> dict[ThreadKey, UUID]:
    """Write the keys that are not there; return the thread of each, which is that of the first who wrote it."""
    if not proposed:
        return {}
    c = thread_keys.c
    rows = [
        {"authority": gss, "key_version": version, "value": value, "thread_id": thread, "created_at": at}
        for (gss, version, value), (thread, at) in sorted(proposed.items())
    ]
    written = upsert(thread_keys).on_conflict_do_update(
        index_elements=[c.authority, c.key_version, c.value], set_={"thread_id": c.thread_id}
    )
    returned = connection.execute(written.returning(c.authority, c.key_version, c.value, c.thread_id), rows)
    return {(row.authority, row.key_version, row.value): row.thread_id for row in returned}


def _known_threads(connection: Connection, keys: set[ThreadKey]) -> dict[ThreadKey, UUID]:
    if not keys:
        return {}
    columns = (thread_keys.c.authority, thread_keys.c.key_version, thread_keys.c.value)
    rows = connection.execute(select(*columns, thread_keys.c.thread_id).where(tuple_(*columns).in_(sorted(keys))))
    return {(row.authority, row.key_version, row.value): row.thread_id for row in rows}


def _notification_row(a: Acceptance, thread: UUID) -> Row:
    return {
        "id": a.notification_id,
        "reference": a.reference,
        "client_id": a.client_id,
        "business_key": a.business_key,
        "authority": a.authority,
        "thread_id": thread,
        "child_key": a.child_key,
        "created_at": a.at,
    }


def _message_row(a: Acceptance) -> Row:
    return {
        "id": a.message_id,
        "notification_id": a.notification_id,
        "client_id": a.client_id,
        "message_key": a.message_key,
        "request_id": a.request_id,
        "body_digest": a.body_digest,
        "event": a.event,
        "version_at": a.version_at,
        "authority": a.authority,
        "view": a.view,
        "view_digest": a.view_digest,
        "accepted_at": a.at,
        "accepted_event": a.leaf.event_id,
    }


def _envelope_row(a: Acceptance, e: Envelope) -> Row:
    return {"message_id": a.message_id, "kind": e.kind, "header": e.header, "signature": e.signature, "stored": e.stored}


def _age_row(a: Acceptance) -> Row:
    return {
        "message_id": a.message_id,
        "authority": a.authority,
        "age_months_at_opinion": a.age_months_at_opinion,
        "compulsory_school_age_on": a.compulsory_school_age_on,
        **dict(zip(("name_print", "address_print", "contact_print"), a.prints, strict=True)),
    }


def _delivery_row(a: Acceptance) -> Row:
    return {
        "id": a.delivery_id,
        "notification_id": a.notification_id,
        "message_id": a.message_id,
        "authority": a.authority,
        "channel": a.channel,
        "event": a.event,
        "state": "queued",
        "attempts": 0,
        "due_at": a.at,
    }
