# SPDX-License-Identifier: MIT
"""Committing acceptances in groups: all of a group in one transaction, each answered for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from audit.log import Appended, insert_prepared
from notify_gateway.store import shred
from notify_gateway.store.engine import insert_where_absent
from notify_gateway.store.tables import ages, audit_tables, deliveries, envelopes, messages, notifications, thread_keys

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed envelope as it is stored."""

    kind: Literal["card", "original"]
    header: bytes
    signature: bytes
    stored: bytes


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All that an accepted message leaves behind, decided before the transaction begins."""

    notification_id: UUID
    reference: str
    client_id: UUID
    business_key: bytes
    message_id: UUID
    message_key: bytes
    request_id: UUID
    body_digest: bytes
    event: str
    version_at: datetime
    authority: str
    channel: str
    delivery_id: UUID
    view: bytes
    view_digest: bytes
    age_months_at_opinion: int
    compulsory_school_age_on: date
    thread_values: tuple[tuple[int, str], ...]
    """(key version, value) under every live key version, newest first; empty without an NHS number."""
    proposed_thread: UUID
    envelopes: tuple[Envelope, ...]
    shred_key: bytes
    leaf: Appended
    at: datetime


class Standing(StrEnum):
    """What became of an acceptance at the commit."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    USE_UPDATE = "use-update"
    REQUEST_ID_USED = "request-id-used"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The standing of one acceptance; ``notification_id`` is that of the message held, which for a duplicate is the first one's."""

    standing: Standing
    notification_id: UUID


def commit_group(engine: Engine, shred_engine: Engine, group: Sequence[Acceptance], refusals: Sequence[Appended] = ()) -> list[Outcome]:
    """Commit a group; return the outcome of each, in order.

    When this returns, every ``ACCEPTED`` one is durable with its delivery and its audit event, and so is each of ``refusals``. Shred keys are
    durable before anything that they protect. Two of a group that exclude each other are taken one after the other, and a group that another
    process spoils is taken one by one.
    """
    outcomes: dict[int, Outcome] = {}
    for part in _without_rivals(group):
        chosen = [group[i] for i in part]
        try:
            results = _commit(engine, shred_engine, chosen, refusals)
        except IntegrityError:
            results = [_commit_alone(engine, shred_engine, acceptance) for acceptance in chosen]
            if refusals:
                _commit(engine, shred_engine, [], refusals)
        outcomes.update(zip(part, results, strict=True))
        refusals = ()
    if refusals:
        _commit(engine, shred_engine, [], refusals)
    return [outcomes[i] for i in range(len(group))]


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


def _commit(engine: Engine, shred_engine: Engine, group: Sequence[Acceptance], refusals: Sequence[Appended]) -> list[Outcome]:
    if group:
        shred.keep(shred_engine, [(a.message_id, a.shred_key, a.at) for a in group])
    with engine.begin() as connection:
        standing = _standing(connection, group) if group else {}
        new = [a for a in group if a.message_id not in standing]
        if new:
            _insert(connection, new)
        insert_prepared(connection, audit_tables, [*(a.leaf for a in new), *refusals])
    if standing:
        shred.forget(shred_engine, list(standing))
    return [standing.get(a.message_id, Outcome(Standing.ACCEPTED, a.notification_id)) for a in group]


def _standing(connection: Connection, group: Sequence[Acceptance]) -> dict[UUID, Outcome]:
    held = connection.execute(
        select(
            messages.c.client_id, messages.c.message_key, messages.c.request_id, messages.c.body_digest, messages.c.notification_id
        ).where(
            or_(
                tuple_(messages.c.client_id, messages.c.message_key).in_([(a.client_id, a.message_key) for a in group]),
                tuple_(messages.c.client_id, messages.c.request_id).in_([(a.client_id, a.request_id) for a in group]),
            )
        )
    ).all()
    by_message = {(row.client_id, row.message_key): row for row in held}
    by_request = {(row.client_id, row.request_id): row for row in held}
    known = {
        (row.client_id, row.business_key): row.id
        for row in connection.execute(
            select(notifications.c.client_id, notifications.c.business_key, notifications.c.id).where(
                tuple_(notifications.c.client_id, notifications.c.business_key).in_([(a.client_id, a.business_key) for a in group])
            )
        )
    }
    found: dict[UUID, Outcome] = {}
    for a in group:
        if (row := by_message.get((a.client_id, a.message_key))) is not None:
            same = row.body_digest == a.body_digest
            found[a.message_id] = Outcome(Standing.DUPLICATE if same else Standing.CONFLICT, row.notification_id)
        elif (row := by_request.get((a.client_id, a.request_id))) is not None:
            found[a.message_id] = Outcome(Standing.REQUEST_ID_USED, row.notification_id)
        elif (notification_id := known.get((a.client_id, a.business_key))) is not None:
            found[a.message_id] = Outcome(Standing.USE_UPDATE, notification_id)
    return found


def _insert(connection: Connection, new: Sequence[Acceptance]) -> None:
    threads = _threads(connection, new)
    connection.execute(insert(notifications), [_notification_row(a, threads[a.message_id]) for a in new])
    connection.execute(insert(messages), [_message_row(a) for a in new])
    connection.execute(
        insert(envelopes),
        [
            {"message_id": a.message_id, "kind": e.kind, "header": e.header, "signature": e.signature, "stored": e.stored}
            for a in new
            for e in a.envelopes
        ],
    )
    connection.execute(
        insert(ages),
        [
            {
                "message_id": a.message_id,
                "authority": a.authority,
                "age_months_at_opinion": a.age_months_at_opinion,
                "compulsory_school_age_on": a.compulsory_school_age_on,
            }
            for a in new
        ],
    )
    connection.execute(insert(deliveries), [_delivery_row(a) for a in new])


def _threads(connection: Connection, new: Sequence[Acceptance]) -> dict[UUID, UUID]:
    """Find or begin each child's thread at its authority. Keys are inserted in sorted order, so that two groups cannot deadlock."""
    proposed: dict[tuple[str, int, str], tuple[UUID, datetime]] = {}
    wanted: set[tuple[str, int, str]] = set()
    for a in new:
        for version, value in a.thread_values:
            wanted.add((a.authority, version, value))
    known = _known_threads(connection, wanted)
    for a in new:
        if not a.thread_values:
            continue
        keys = [(a.authority, version, value) for version, value in a.thread_values]
        thread = next((known[key] for key in keys if key in known), a.proposed_thread)
        newest = keys[0]
        if newest not in known and newest not in proposed:
            proposed[newest] = (thread, a.at)
    if proposed:
        insert_where_absent(
            connection,
            thread_keys,
            [
                {"authority": gss, "key_version": version, "value": value, "thread_id": thread, "created_at": at}
                for (gss, version, value), (thread, at) in sorted(proposed.items())
            ],
        )
        known |= _known_threads(connection, set(proposed))
    return {
        a.message_id: next(
            (known[key] for key in ((a.authority, version, value) for version, value in a.thread_values) if key in known),
            a.proposed_thread,
        )
        for a in new
    }


def _known_threads(connection: Connection, keys: set[tuple[str, int, str]]) -> dict[tuple[str, int, str], UUID]:
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


def _delivery_row(a: Acceptance) -> Row:
    return {
        "id": a.delivery_id,
        "notification_id": a.notification_id,
        "message_id": a.message_id,
        "authority": a.authority,
        "channel": a.channel,
        "event": a.event,
        "sequence": 1,
        "state": "queued",
        "attempts": 0,
        "due_at": a.at,
    }
