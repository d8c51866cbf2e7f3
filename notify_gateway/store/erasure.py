# SPDX-License-Identifier: MIT
"""What is to be erased of a notification, what keeps it from being erased, and what was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, insert, select, update

from notify_gateway.domain.lifecycle import WAITING
from notify_gateway.store.tables import ages, deliveries, erased_messages, erasures, legal_holds, messages, notifications


@dataclass(frozen=True, slots=True)
class Begun:
    """An erasure that stands in the log as begun and has not ended."""

    id: UUID
    notification_id: UUID
    reason: str
    case_reference: str
    by: str
    begun_at: datetime


def find_notification(connection: Connection, reference: str, *, lock: bool = False) -> UUID | None:
    """Return the notification of that reference; ``lock``: nobody else changes it until the transaction ends."""
    found = select(notifications.c.id).where(notifications.c.reference == reference)
    return connection.scalar(found.with_for_update() if lock else found)


def notifications_of(connection: Connection, ids: Sequence[UUID]) -> list[str]:
    """Return the ids of the notifications that have these messages."""
    return list(map(str, connection.scalars(select(messages.c.notification_id).distinct().where(messages.c.id.in_(ids)))))


def messages_of(connection: Connection, notification_id: UUID) -> list[UUID]:
    """Return the ids of all that was sent of the notification."""
    return list(connection.scalars(select(messages.c.id).where(messages.c.notification_id == notification_id)))


def open_deliveries(connection: Connection, notification_id: UUID, *, lock: bool = False) -> Sequence[Row[Any]]:
    """Return the deliveries that no authority has received yet."""
    d = deliveries.c
    found = select(deliveries).where(d.notification_id == notification_id, d.state.in_(WAITING)).order_by(d.sequence)
    return connection.execute(found.with_for_update() if lock else found).all()


def cancel(connection: Connection, delivery_ids: Sequence[UUID]) -> None:
    """The deliveries are cancelled, and no worker holds them."""
    d = deliveries.c
    connection.execute(update(deliveries).where(d.id.in_(delivery_ids)).values(state="cancelled", lease_owner=None, lease_until=None))


def begin(connection: Connection, begun: Begun, message_ids: Sequence[UUID]) -> None:
    """The erasure is begun."""
    row = {"id": begun.id, "notification_id": begun.notification_id, "reason": begun.reason, "case_reference": begun.case_reference}
    connection.execute(insert(erasures), [row | {"by": begun.by, "begun_at": begun.begun_at}])
    known = set(connection.scalars(select(erased_messages.c.message_id).where(erased_messages.c.message_id.in_(message_ids))))
    if fresh := [{"message_id": each, "erasure_id": begun.id} for each in message_ids if each not in known]:
        connection.execute(insert(erased_messages), fresh)


def end(connection: Connection, erasure_id: UUID, *, at: datetime) -> bool:
    """The erasure is done; return False when somebody else has ended it already."""
    e = erasures.c
    return connection.execute(update(erasures).where(e.id == erasure_id, e.done_at.is_(None)).values(done_at=at)).rowcount == 1


def unfinished(connection: Connection) -> list[Begun]:
    """Return the erasures that were begun and have not ended, oldest first."""
    e = erasures.c
    rows = connection.execute(
        select(e.id, e.notification_id, e.reason, e.case_reference, e.by, e.begun_at).where(e.done_at.is_(None)).order_by(e.begun_at)
    )
    return [Begun(*row) for row in rows]


def erased(connection: Connection) -> set[UUID]:
    """Return the messages that were, or are being, erased."""
    return set(connection.scalars(select(erased_messages.c.message_id)))


def erased_by(connection: Connection, erasure_id: UUID) -> list[UUID]:
    """Return the messages that this erasure is about."""
    return list(connection.scalars(select(erased_messages.c.message_id).where(erased_messages.c.erasure_id == erasure_id)))


def forget_ages(connection: Connection, message_ids: Sequence[UUID]) -> int:
    """Delete the ages in months, which stand outside the envelopes; return how many there were."""
    return connection.execute(delete(ages).where(ages.c.message_id.in_(message_ids))).rowcount


def aged(connection: Connection, message_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the messages whose age in months is still there."""
    return set(connection.scalars(select(ages.c.message_id).where(ages.c.message_id.in_(message_ids))))


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold that is in force; ``release_by`` has proposed to end it."""

    id: UUID
    reference: str
    reason: str
    case_reference: str
    set_by: str
    set_at: datetime
    release_by: str | None


def holds(connection: Connection, notification_id: UUID | None = None, *, lock: bool = False) -> list[Hold]:
    """Return the holds in force, of one notification or of all, oldest first."""
    h = legal_holds.c
    found = (
        select(h.id, notifications.c.reference, h.reason, h.case_reference, h.set_by, h.set_at, h.release_by)
        .join(notifications, notifications.c.id == h.notification_id)
        .where(h.released_at.is_(None))
        .order_by(h.set_at, h.id)
    )
    if notification_id is not None:
        found = found.where(h.notification_id == notification_id)
    return [Hold(*row) for row in connection.execute(found.with_for_update(of=legal_holds) if lock else found)]


def set_hold(connection: Connection, hold: Hold, notification_id: UUID) -> None:
    """The hold is in force."""
    row = {"id": hold.id, "notification_id": notification_id, "reason": hold.reason, "case_reference": hold.case_reference}
    connection.execute(insert(legal_holds), [row | {"set_by": hold.set_by, "set_at": hold.set_at}])


def change_hold(connection: Connection, hold_id: UUID, **values: Any) -> None:
    """The hold has these values."""
    connection.execute(update(legal_holds).where(legal_holds.c.id == hold_id).values(values))
