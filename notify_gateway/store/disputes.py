# SPDX-License-Identifier: MIT
"""Notifications that were sent back twice, by whichever authorities: people settle whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from notify_gateway.store.tables import case_tables, deliveries, delivery_steps, notifications

_t = case_tables.disputes.c


@dataclass(frozen=True, slots=True)
class Dispute:
    """A notification that nobody says is theirs; ``authorities`` have sent it back, in this order."""

    notification_id: UUID
    reference: str
    opened_at: datetime
    times: int
    authorities: tuple[str, ...]


def is_open(connection: Connection, notification_id: UUID) -> bool:
    """Tell whether it is being settled whose the notification is."""
    found = select(_t.notification_id).where(_t.notification_id == notification_id, _t.settled_at.is_(None))
    return connection.execute(found).first() is not None


def times_sent_back(connection: Connection, notification_id: UUID) -> int:
    """Return how often the notification was sent back since that was last settled."""
    d, s = deliveries.c, delivery_steps.c
    settled = connection.scalar(select(_t.settled_at).where(_t.notification_id == notification_id))
    found = select(func.count()).select_from(delivery_steps).join(deliveries, d.id == s.delivery_id)
    found = found.where(d.notification_id == notification_id, s.step == "sent-back")
    if settled is not None:
        found = found.where(s.at > settled)
    return connection.execute(found).scalar_one()


def begin(connection: Connection, notification_id: UUID, *, times: int, at: datetime) -> None:
    """From now on it is being settled whose the notification is."""
    opened = {"opened_at": at, "times": times, "settled_at": None, "settled_by": None}
    # Both databases spell it alike.
    made = upsert(case_tables.disputes).values(notification_id=notification_id, **opened)
    connection.execute(made.on_conflict_do_update(index_elements=[_t.notification_id], set_=opened))


def settle(connection: Connection, notification_id: UUID, *, at: datetime, by: str) -> bool:
    """It is settled; tell whether it was not before."""
    still = update(case_tables.disputes).where(_t.notification_id == notification_id, _t.settled_at.is_(None))
    return connection.execute(still.values(settled_at=at, settled_by=by)).rowcount == 1


def listed(connection: Connection) -> list[Dispute]:
    """Return what is being settled, the longest open first."""
    n, d, s = notifications.c, deliveries.c, delivery_steps.c
    rows = connection.execute(
        select(_t.notification_id, n.reference, _t.opened_at, _t.times)
        .join(notifications, n.id == _t.notification_id)
        .where(_t.settled_at.is_(None))
        .order_by(_t.opened_at, n.reference)
    ).all()
    who = select(d.notification_id, d.authority).join(delivery_steps, s.delivery_id == d.id)
    said = connection.execute(
        who.where(d.notification_id.in_([row.notification_id for row in rows]), s.step == "sent-back").order_by(s.at)
    ).all()
    return [Dispute(*row, tuple(each.authority for each in said if each.notification_id == row.notification_id)) for row in rows]
