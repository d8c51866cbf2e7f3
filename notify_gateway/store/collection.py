# SPDX-License-Identifier: MIT
"""What one authority may see of its deliveries. The scope stands in the constructor: there is no unscoped reader."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, insert, or_, select

from notify_gateway.domain.route import ChannelName
from notify_gateway.store.tables import deliveries, delivery_steps, messages, notifications

_INBOX = ChannelName.INBOX.value


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery in an authority's list."""

    id: UUID
    reference: str
    event: str
    state: str
    offered_at: datetime
    view: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that an authority has said of a delivery since its acknowledgement; ``step`` is the state that followed."""

    step: str
    code: str | None
    on: date | None
    suggested: str | None
    at: datetime
    event_id: UUID


class AuthorityDeliveries:
    """The deliveries of one authority."""

    def __init__(self, connection: Connection, authority: str) -> None:
        self._connection = connection
        self._authority = authority

    def waiting(self, *, limit: int, after: tuple[datetime, UUID] | None = None, inbox: bool = False) -> list[Waiting]:
        """Return what is offered, in the inbox or elsewhere, and not yet received, in the order of the offers, from ``after`` on."""
        d = deliveries.c
        statement = (
            select(d.id, notifications.c.reference, d.event, d.state, d.offered_at, messages.c.view)
            .join(messages, messages.c.id == d.message_id)
            .join(notifications, notifications.c.id == d.notification_id)
            .where(d.authority == self._authority, d.state == "offered", d.channel == _INBOX if inbox else d.channel != _INBOX)
            .order_by(d.offered_at, d.id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(or_(d.offered_at > after[0], and_(d.offered_at == after[0], d.id > after[1])))
        return [Waiting(*row) for row in self._connection.execute(statement)]

    def steps(self, delivery_id: UUID) -> tuple[Step, ...]:
        """Return what the authority has said of the delivery since its acknowledgement, in order."""
        s = delivery_steps.c
        statement = (
            select(s.step, s.code, s.on_date, s.suggested, s.at, s.event_id)
            .join(deliveries, deliveries.c.id == s.delivery_id)
            .where(s.delivery_id == delivery_id, deliveries.c.authority == self._authority)
            .order_by(s.number)
        )
        return tuple(Step(*row) for row in self._connection.execute(statement))

    def add_step(self, delivery_id: UUID, number: int, step: Step, *, by: str) -> None:
        """Keep a step as the ``number``-th of the delivery, which the caller has found and locked."""
        values = {
            "delivery_id": delivery_id,
            "number": number,
            "step": step.step,
            "code": step.code,
            "on_date": step.on,
            "suggested": step.suggested,
            "at": step.at,
            "by": by,
            "event_id": step.event_id,
        }
        self._connection.execute(insert(delivery_steps), [values])

    def holds_later(self, row: Row[Any], states: Collection[str]) -> bool:
        """Tell whether a later delivery of the same notification stands in one of ``states`` at the authority."""
        d = deliveries.c
        later = select(d.id).where(
            d.notification_id == row.notification_id, d.authority == self._authority, d.sequence > row.sequence, d.state.in_(states)
        )
        return self._connection.execute(later.limit(1)).first() is not None

    def notified_at(self, row: Row[Any]) -> datetime:
        """Return when the notification of a delivery was first accepted."""
        at: datetime = self._connection.execute(
            select(notifications.c.created_at).where(notifications.c.id == row.notification_id)
        ).scalar_one()
        return at

    def find(self, delivery_id: UUID, *, lock: bool = False) -> Row[Any] | None:
        """Return the delivery row, or None where this authority has none of that id."""
        statement = select(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.authority == self._authority)
        return self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
