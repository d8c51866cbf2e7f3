# SPDX-License-Identifier: MIT
"""The outbox: deliveries with their due times and leases. It is the truth; a queued task is only a hint at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, any_, bindparam, exists, func, or_, select, true, update

from notify_gateway.store import circuits
from notify_gateway.store.acceptance import Envelope
from notify_gateway.store.engine import Instant
from notify_gateway.store.tables import authorities, deliveries, envelopes, messages, notifications

OPEN = ("queued",)
"""States in which a delivery has not left; a later one of the same notification and authority waits for it."""

ENDED = ("cancelled", "superseded", "given-up")
"""States in which a delivery no longer stands for its notification."""


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
    counted: int
    """How many of the attempts count towards the most, this one included."""


_d = deliveries.c
_CLAIMED = (_d.id, _d.notification_id, _d.message_id, _d.authority, _d.channel, _d.event, _d.attempts, _d.attempts - _d.spared)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a delivery document is made of."""

    reference: str
    view: bytes
    view_digest: bytes
    envelopes: tuple[Envelope, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is due; ``size`` is that of its sealed envelopes, in bytes.

    ``suspect``: the worker that held it died, and not for the first time; it had better go alone.
    """

    id: UUID
    authority: str
    channel: str
    size: int
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How the dispatcher looks: at most ``limit`` deliveries, of each authority those among the ``share`` that are due longest.

    One whose last hint is younger than ``hinted_before`` is left alone: its hint may still be on the way. A probe of which nothing is
    heard until ``probe_again_at`` is followed by another.
    """

    now: datetime
    hinted_before: datetime
    limit: int
    share: int
    probe_again_at: datetime


def take_due(connection: Connection, look: Look) -> list[Due]:
    """Return deliveries that are due and free, and mark them hinted; another dispatcher at work takes others.

    What is under way keeps its place among the share of its authority, so that no more than the share is ever under way for it, however
    long it takes to answer and whatever waits behind. Where there are more than the limit, the first of each authority come before the
    second of any. An authority that is left in peace has none, but for a single probe once the pause of its circuit is over.
    """
    probes = [each for authority in circuits.due_for_probe(connection, now=look.now) if (each := _probe(connection, authority, look))]
    postgresql = connection.dialect.name == "postgresql"
    oldest = _oldest(look, lateral=postgresql).subquery("oldest")
    chosen = select(oldest.c.id).where(_free(oldest.c, look)).order_by(oldest.c.place, oldest.c.due_at).limit(look.limit)
    # As an array, because PostgreSQL then looks each of them up; a join of so many would tempt it to read the whole table.
    ours = deliveries.c.id == any_(func.array(chosen.scalar_subquery())) if postgresql else deliveries.c.id.in_(chosen)
    statement = _due().where(ours, *_takeable(look)).order_by(deliveries.c.due_at)
    due = [*probes, *(Due(*row) for row in connection.execute(statement.with_for_update(of=deliveries, skip_locked=True)))]
    if due:
        connection.execute(update(deliveries).where(deliveries.c.id.in_([item.id for item in due])).values(hinted_at=look.now))
    return due


def _oldest(look: Look, *, lateral: bool) -> Select[Any]:
    """Return the select of what is due longest of each authority, with its place there; it reads no more of a backlog than the share."""
    a, d = authorities.c, deliveries.c
    of_authority = and_(d.authority == a.gss, *_queued(d), d.due_at <= look.now)
    columns = (d.id, d.authority, d.due_at, d.lease_until, d.hinted_at)
    first: FromClause
    if lateral:
        first = select(*columns).where(of_authority).order_by(d.due_at).limit(look.share).correlate(authorities).lateral("first")
        joined = authorities.join(first, true())
    else:
        # SQLite knows no LATERAL, but looks a correlated list up by its members.
        ids = select(d.id).where(of_authority).order_by(d.due_at).limit(look.share).correlate(authorities)
        first = deliveries.alias("first")
        joined = authorities.join(first, first.c.id.in_(ids))
    place = func.row_number().over(partition_by=first.c.authority, order_by=first.c.due_at).label("place")
    ours = select(first.c.id, first.c.due_at, first.c.lease_until, first.c.hinted_at, place).select_from(joined)
    return ours.where(a.gss.not_in(circuits.left_in_peace(look.now)))


def _probe(connection: Connection, authority: str, look: Look) -> Due | None:
    """Choose the delivery that tries whether the authority answers again: the one that is due longest and next in its order."""
    d = deliveries.c
    first = _due().where(d.authority == authority, d.due_at <= look.now, *_takeable(look), _next_in_order()).order_by(d.due_at).limit(1)
    row = connection.execute(first.with_for_update(of=deliveries, skip_locked=True)).one_or_none()
    if row is None:
        return None
    circuits.send_probe(connection, authority, probe=row.id, again_at=look.probe_again_at)
    return Due(*row)


def _due() -> Select[Any]:
    d = deliveries.c
    size = select(func.coalesce(func.sum(func.length(envelopes.c.stored)), 0)).where(envelopes.c.message_id == d.message_id)
    return select(d.id, d.authority, d.channel, size.scalar_subquery(), and_(d.lease_owner.is_not(None), d.attempts - d.spared > 1))


def _queued(columns: Any) -> tuple[ColumnElement[bool], ...]:
    return columns.state == "queued", columns.parked_at.is_(None)


def _takeable(look: Look) -> tuple[ColumnElement[bool], ...]:
    return *_queued(deliveries.c), _free(deliveries.c, look)


def _free(columns: Any, look: Look) -> ColumnElement[bool]:
    """Neither held by a worker nor hinted lately."""
    free = or_(columns.lease_until.is_(None), columns.lease_until < look.now)
    return and_(free, or_(columns.hinted_at.is_(None), columns.hinted_at < look.hinted_before))


def _next_in_order() -> ColumnElement[bool]:
    d, earlier = deliveries.c, deliveries.alias("earlier")
    return ~exists().where(
        earlier.c.notification_id == d.notification_id,
        earlier.c.authority == d.authority,
        earlier.c.sequence < d.sequence,
        earlier.c.state.in_(OPEN),
    )


def claim(connection: Connection, ids: Sequence[UUID], *, owner: str, now: datetime, until: datetime) -> list[Claimed]:
    """Claim those of ``ids`` that are queued, due, free, next in their order and not parked; count the attempt; leave out the others.

    Of an authority that is left in peace only the probe can be claimed: hints that were on the way when its circuit opened spend nothing.
    """
    d = deliveries.c
    statement = (
        update(deliveries)
        .where(
            d.id.in_(ids),
            *_queued(d),
            d.due_at <= now,
            or_(d.lease_until.is_(None), d.lease_until < now),
            _next_in_order(),
            d.authority.not_in(circuits.away_by_plan(now)),
            or_(d.authority.not_in(circuits.resting(now)), d.id.in_(circuits.probes())),
        )
        .values(lease_owner=owner, lease_until=until, attempts=d.attempts + 1)
        .returning(*_CLAIMED)
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
    rows = connection.execute(ended.returning(*_CLAIMED))
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
    """Return the delivery rows, locked until the transaction ends, in a fixed order; ``troubled`` if their authority failed lately."""
    d = deliveries.c
    statement = select(deliveries, circuits.failed_lately(d.authority).label("troubled")).where(d.id.in_(ids)).order_by(d.id)
    return {row.id: row for row in connection.execute(statement.with_for_update(of=deliveries))}


def successors(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return, of those deliveries that a later one of the same notification and authority follows, the last that does and has not ended."""
    later = deliveries.alias("later")
    follows = and_(
        later.c.notification_id == _d.notification_id,
        later.c.authority == _d.authority,
        later.c.sequence > _d.sequence,
        later.c.state.not_in(ENDED),
    )
    found = select(_d.id, later.c.id.label("by")).join(later, follows).where(_d.id.in_(ids)).order_by(later.c.sequence)
    return {row.id: row.by for row in connection.execute(found)}


def queued_at(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return since when each delivery waits: since its message was accepted, or since people queued it anew."""
    since = func.coalesce(_d.requeued_at, messages.c.accepted_at, type_=Instant)
    found = select(_d.id, since.label("at")).join(messages, messages.c.id == _d.message_id).where(_d.id.in_(ids))
    return {row.id: row.at for row in connection.execute(found)}


def parked(connection: Connection, authority: str) -> list[tuple[UUID, UUID, str]]:
    """Return what is parked of the authority: delivery, notification and code."""
    found = select(_d.id, _d.notification_id, _d.parked_code)
    rows = connection.execute(found.where(_d.authority == authority, _d.state == "queued", _d.parked_at.is_not(None)))
    return [(row[0], row[1], row[2]) for row in rows]


def put_off(connection: Connection, authority: str, *, now: datetime) -> list[tuple[UUID, str]]:
    """Return what of the authority failed, is not due yet, and is in no worker's hands: delivery and code."""
    found = select(_d.id, _d.last_code).where(_d.authority == authority, *_queued(_d), _d.lease_owner.is_(None))
    return [(row[0], row[1]) for row in connection.execute(found.where(_d.due_at > now, _d.last_code.is_not(None)))]


def hasten(connection: Connection, ids: Sequence[UUID], *, now: datetime) -> None:
    """Those of the deliveries that are still put off are due at once."""
    off = update(deliveries).where(_d.id.in_(ids), *_queued(_d), _d.lease_owner.is_(None))
    connection.execute(off.values(due_at=now, hinted_at=None))


def write(connection: Connection, changes: Sequence[Mapping[str, Any]]) -> None:
    """Write changes to deliveries, one mapping each: ``id`` and the columns to set; all mappings name the same columns."""
    if not changes:
        return
    columns = [name for name in changes[0] if name != "id"]
    statement = update(deliveries).where(deliveries.c.id == bindparam("b_id")).values({name: bindparam(f"b_{name}") for name in columns})
    connection.execute(statement, [{f"b_{name}": value for name, value in change.items()} for change in changes])
