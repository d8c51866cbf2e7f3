# SPDX-License-Identifier: MIT
"""What MESH carries for us: which message holds which delivery, when to ask about it next, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select, update

from notify_gateway.domain.delivery import Remote
from notify_gateway.store.tables import deliveries, mesh_messages

_m = mesh_messages.c


@dataclass(frozen=True, slots=True)
class Carried:
    """A message that MESH holds or held; ``message_id`` is None when several bore our id."""

    delivery_id: UUID
    number: int
    message_id: str | None
    mailbox: str
    workflow: str
    digest: bytes
    sent_at: datetime
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be kept of an attempt: the message, and the code with which it ended if it has."""

    delivery_id: UUID
    remote: Remote
    ended_code: str | None


@dataclass(frozen=True, slots=True)
class Uncollected:
    """An offered delivery that nobody has fetched from MESH; no field says whom it is about."""

    delivery_id: UUID
    authority: str
    mailbox: str
    sent_at: datetime
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies in one mailbox of an authority, offered and not fetched: how many, since when the first, and how many were told of."""

    authority: str
    mailbox: str
    count: int
    oldest_at: datetime
    told: int


def given_back(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many messages of each delivery have ended; deliveries without any are left out."""
    if not ids:
        return {}
    counted = select(_m.delivery_id, func.count()).where(_m.delivery_id.in_(ids), _m.ended_at.is_not(None)).group_by(_m.delivery_id)
    return {row[0]: row[1] for row in connection.execute(counted)}


def keep(connection: Connection, kept: Sequence[Kept], *, now: datetime, look_at: datetime) -> None:
    """Remember the messages, to be asked about at ``look_at`` unless they have ended; the caller holds the deliveries' locks."""
    if not kept:
        return
    ids = [each.delivery_id for each in kept]
    last = select(_m.delivery_id, func.max(_m.number)).where(_m.delivery_id.in_(ids)).group_by(_m.delivery_id)
    numbers = {row[0]: row[1] for row in connection.execute(last)}
    rows = [
        {
            "delivery_id": each.delivery_id,
            "number": numbers.get(each.delivery_id, 0) + 1,
            "message_id": each.remote.message_id,
            "mailbox": each.remote.mailbox,
            "workflow": each.remote.workflow,
            "digest": each.remote.digest,
            "sent_at": now,
            "due_at": None if each.ended_code else look_at,
            "ended_at": now if each.ended_code else None,
            "ended_code": each.ended_code,
        }
        for each in kept
    ]
    connection.execute(insert(mesh_messages), rows)


def take_due(connection: Connection, *, now: datetime, again_at: datetime, limit: int) -> list[Carried]:
    """Return what is due to be asked about, oldest due first, and put it off until ``again_at``; another poller at work takes others."""
    statement = _carried().where(_m.due_at <= now).order_by(_m.due_at).limit(limit).with_for_update(skip_locked=True)
    found = [Carried(*row) for row in connection.execute(statement)]
    for each in found:
        connection.execute(update(mesh_messages).where(_is(each)).values(due_at=again_at))
    return found


def look_again(connection: Connection, carried: Carried, *, at: datetime) -> None:
    """Ask about the message at the instant."""
    connection.execute(update(mesh_messages).where(_is(carried), _m.ended_at.is_(None)).values(due_at=at))


def tell(connection: Connection, carried: Carried, *, at: datetime, told_at: datetime) -> bool:
    """Remember that the message was told of as uncollected, and ask again at the instant; False when it was told of before or has ended."""
    fresh = update(mesh_messages).where(_is(carried), _m.ended_at.is_(None), _m.told_at.is_(None))
    return connection.execute(fresh.values(due_at=at, told_at=told_at)).rowcount == 1


def end(connection: Connection, carried: Carried, *, code: str, now: datetime) -> bool:
    """The message has ended with the code and is asked about no more; False when it had ended before."""
    unended = update(mesh_messages).where(_is(carried), _m.ended_at.is_(None))
    return connection.execute(unended.values(due_at=None, ended_at=now, ended_code=code)).rowcount == 1


def by_message_id(connection: Connection, message_id: str) -> Carried | None:
    """Return our message of that id, ended or not, or None when it is none of ours."""
    row = connection.execute(_carried().where(_m.message_id == message_id)).first()
    return Carried(*row) if row else None


def latest(connection: Connection, delivery_id: UUID, *, mailbox: str) -> Carried | None:
    """Return the last message of the delivery that went to the mailbox, or None when none did."""
    sent = _carried().where(_m.delivery_id == delivery_id, _m.mailbox == mailbox)
    row = connection.execute(sent.order_by(_m.number.desc()).limit(1)).first()
    return Carried(*row) if row else None


def uncollected(connection: Connection, *, sent_before: datetime, limit: int) -> list[Uncollected]:
    """Return the offered deliveries that MESH has held since before the instant, longest first."""
    d = deliveries.c
    statement = (
        select(d.id, d.authority, _m.mailbox, _m.sent_at, _m.told_at)
        .join(mesh_messages, _m.delivery_id == d.id)
        .where(d.state == "offered", _m.ended_at.is_(None), or_(_m.sent_at < sent_before, _m.told_at.is_not(None)))
        .order_by(_m.sent_at)
        .limit(limit)
    )
    return [Uncollected(*row) for row in connection.execute(statement)]


def lying(connection: Connection) -> list[Lying]:
    """Return what MESH holds for authorities that have not fetched it, by mailbox; where it has lain longest comes first."""
    d = deliveries.c
    oldest = func.min(_m.sent_at).label("oldest")
    found = (
        select(d.authority, _m.mailbox, func.count(), oldest, func.count(_m.told_at))
        .join(mesh_messages, _m.delivery_id == d.id)
        .where(d.state == "offered", _m.ended_at.is_(None))
        .group_by(d.authority, _m.mailbox)
        .order_by(oldest, d.authority)
    )
    return [Lying(*row) for row in connection.execute(found)]


def _carried() -> Select[Any]:
    return select(_m.delivery_id, _m.number, _m.message_id, _m.mailbox, _m.workflow, _m.digest, _m.sent_at, _m.told_at)


def _is(carried: Carried) -> ColumnElement[bool]:
    return and_(_m.delivery_id == carried.delivery_id, _m.number == carried.number)
