# SPDX-License-Identifier: MIT
"""The outbox: deliveries with their due times and leases. It is the truth; a queued task is only a hint at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, exists, func, or_, select, update

from notify_gateway.store.acceptance import Envelope
from notify_gateway.store.tables import deliveries, envelopes, messages, notifications

OPEN = ("queued",)
"""States in which a delivery has not left; a later one of the same notification and authority waits for it."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker now holds, until its lease ends."""

    id: UUID
    notification_id: UUID
    message_id: UUID
    authority: str
    channel: str
    event: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Parts:
    """What a delivery document is made of."""

    reference: str
    view: bytes
    view_digest: bytes
    envelopes: tuple[Envelope, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is due; ``size`` is that of its sealed envelopes, in bytes."""

    id: UUID
    authority: str
    channel: str
    size: int


def take_due(connection: Connection, *, now: datetime, hinted_before: datetime, limit: int) -> list[Due]:
    """Return deliveries that are due and free, oldest due first, and mark them hinted; another dispatcher at work takes others.

    One whose last hint is younger than ``hinted_before`` is left alone: its hint may still be on the way.
    """
    d = deliveries.c
    size = select(func.coalesce(func.sum(func.length(envelopes.c.stored)), 0)).where(envelopes.c.message_id == d.message_id)
    statement = (
        select(d.id, d.authority, d.channel, size.scalar_subquery().label("size"))
        .where(
            d.state == "queued",
            d.due_at <= now,
            or_(d.lease_until.is_(None), d.lease_until < now),
            or_(d.hinted_at.is_(None), d.hinted_at < hinted_before),
        )
        .order_by(d.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    due = [Due(row.id, row.authority, row.channel, row.size) for row in connection.execute(statement)]
    if due:
        connection.execute(update(deliveries).where(d.id.in_([item.id for item in due])).values(hinted_at=now))
    return due


def claim(connection: Connection, ids: Sequence[UUID], *, owner: str, now: datetime, until: datetime) -> list[Claimed]:
    """Claim those of ``ids`` that are queued, due, free and next in their order; count the attempt; leave out the others."""
    d = deliveries.c
    earlier = deliveries.alias("earlier")
    statement = (
        update(deliveries)
        .where(
            d.id.in_(ids),
            d.state == "queued",
            d.due_at <= now,
            or_(d.lease_until.is_(None), d.lease_until < now),
            ~exists().where(
                earlier.c.notification_id == d.notification_id,
                earlier.c.authority == d.authority,
                earlier.c.sequence < d.sequence,
                earlier.c.state.in_(OPEN),
            ),
        )
        .values(lease_owner=owner, lease_until=until, attempts=d.attempts + 1)
        .returning(d.id, d.notification_id, d.message_id, d.authority, d.channel, d.event, d.attempts)
    )
    return [Claimed(*row) for row in connection.execute(statement)]


def lost(connection: Connection, ids: Sequence[UUID], *, now: datetime) -> dict[UUID, int]:
    """Return those of ``ids`` whose last attempt ended without a result, for its worker's lease has run out, with the attempt's number."""
    d = deliveries.c
    rows = connection.execute(select(d.id, d.attempts).where(d.id.in_(ids), d.lease_owner.is_not(None), d.lease_until < now))
    return {row.id: row.attempts for row in rows}


def give_up_lost(connection: Connection, *, before: datetime, limit: int = 500) -> list[Claimed]:
    """End the leases that ran out before the instant, and return the deliveries, each with the attempt of which no result came."""
    d = deliveries.c
    ids = select(d.id).where(d.lease_until < before, d.lease_owner.is_not(None)).limit(limit).with_for_update(skip_locked=True)
    ended = update(deliveries).where(d.id.in_(ids.scalar_subquery())).values(lease_owner=None, lease_until=None)
    rows = connection.execute(ended.returning(d.id, d.notification_id, d.message_id, d.authority, d.channel, d.event, d.attempts))
    return [Claimed(*row) for row in rows]


def renew(connection: Connection, ids: Sequence[UUID], *, owner: str, until: datetime) -> int:
    """Lengthen the leases that ``owner`` holds; return how many."""
    statement = update(deliveries).where(deliveries.c.id.in_(ids), deliveries.c.lease_owner == owner, deliveries.c.state == "queued")
    return connection.execute(statement.values(lease_until=until)).rowcount


def requeue(connection: Connection, ids: Sequence[UUID], *, now: datetime) -> None:
    """The deliveries are due at once, as if they were queued now: neither parked nor failed, their attempts and age counted from here."""
    d = deliveries.c
    fresh = {"parked_at": None, "parked_code": None, "last_code": None, "spared": d.attempts, "requeued_at": now, "hinted_at": None}
    connection.execute(update(deliveries).where(d.id.in_(ids), d.state == "queued").values(**fresh, due_at=now))


def parts(connection: Connection, message_ids: Iterable[UUID]) -> dict[UUID, Parts]:
    """Return the view and the stored envelopes of each message."""
    wanted = list(message_ids)
    sealed: dict[UUID, list[Envelope]] = {}
    rows = connection.execute(
        select(envelopes).where(envelopes.c.message_id.in_(wanted)).order_by(envelopes.c.message_id, envelopes.c.kind)
    )
    for row in rows:
        sealed.setdefault(row.message_id, []).append(Envelope(row.kind, row.header, row.signature, row.stored))
    views = connection.execute(
        select(messages.c.id, notifications.c.reference, messages.c.view, messages.c.view_digest)
        .join(notifications, notifications.c.id == messages.c.notification_id)
        .where(messages.c.id.in_(wanted))
    )
    return {row.id: Parts(row.reference, row.view, row.view_digest, tuple(sealed.get(row.id, ()))) for row in views}


def locked(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    """Return the delivery rows, locked until the transaction ends, in a fixed order."""
    statement = select(deliveries).where(deliveries.c.id.in_(ids)).order_by(deliveries.c.id).with_for_update()
    return {row.id: row for row in connection.execute(statement)}


def later(connection: Connection, row: Row[Any]) -> UUID | None:
    """Return the last later delivery of the same notification to the same authority, or None."""
    d = deliveries.c
    following = select(d.id).where(d.notification_id == row.notification_id, d.authority == row.authority, d.sequence > row.sequence)
    found: UUID | None = connection.scalar(following.order_by(d.sequence.desc()).limit(1))
    return found


def write(connection: Connection, changes: Sequence[Mapping[str, Any]]) -> None:
    """Write changes to deliveries, one mapping each: ``id`` and the columns to set; all mappings name the same columns."""
    if not changes:
        return
    columns = [name for name in changes[0] if name != "id"]
    statement = update(deliveries).where(deliveries.c.id == bindparam("b_id")).values({name: bindparam(f"b_{name}") for name in columns})
    connection.execute(statement, [{f"b_{name}": value for name, value in change.items()} for change in changes])
