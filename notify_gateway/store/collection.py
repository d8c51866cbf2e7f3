# SPDX-License-Identifier: MIT
"""What one authority may see of its deliveries. The scope stands in the constructor: there is no unscoped reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, or_, select

from notify_gateway.store.tables import deliveries, messages, notifications


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery in an authority's list."""

    id: UUID
    reference: str
    event: str
    state: str
    offered_at: datetime
    view: bytes


class AuthorityDeliveries:
    """The deliveries of one authority."""

    def __init__(self, connection: Connection, authority: str) -> None:
        self._connection = connection
        self._authority = authority

    def waiting(self, *, limit: int, after: tuple[datetime, UUID] | None = None) -> list[Waiting]:
        """Return what is offered and not yet received, in the order in which it was offered, from ``after`` on."""
        d = deliveries.c
        statement = (
            select(d.id, notifications.c.reference, d.event, d.state, d.offered_at, messages.c.view)
            .join(messages, messages.c.id == d.message_id)
            .join(notifications, notifications.c.id == d.notification_id)
            .where(d.authority == self._authority, d.state == "offered")
            .order_by(d.offered_at, d.id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(or_(d.offered_at > after[0], and_(d.offered_at == after[0], d.id > after[1])))
        return [Waiting(*row) for row in self._connection.execute(statement)]

    def find(self, delivery_id: UUID, *, lock: bool = False) -> Row[Any] | None:
        """Return the delivery row, or None where this authority has none of that id."""
        statement = select(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.authority == self._authority)
        return self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
