# SPDX-License-Identifier: MIT
"""What one sender may see of its notifications. The scope stands in the constructor: there is no unscoped reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from notify_gateway.store.tables import deliveries, messages, notifications


@dataclass(frozen=True, slots=True)
class Tracked:
    """Where a notification stands, after its latest message."""

    id: UUID
    reference: str
    authority: str
    event: str
    state: str
    accepted_at: datetime
    accepted_event: UUID
    offered_at: datetime | None
    received_at: datetime | None
    acknowledged_at: datetime | None


class SenderNotifications:
    """The notifications of one client."""

    def __init__(self, connection: Connection, client_id: UUID) -> None:
        self._connection = connection
        self._client_id = client_id

    def find(self, notification_id: UUID) -> Tracked | None:
        """Return where the notification stands, or None where this client has none of that id."""
        statement = (
            select(
                notifications.c.id,
                notifications.c.reference,
                deliveries.c.authority,
                deliveries.c.event,
                deliveries.c.state,
                messages.c.accepted_at,
                messages.c.accepted_event,
                deliveries.c.offered_at,
                deliveries.c.received_at,
                deliveries.c.acknowledged_at,
            )
            .join(messages, messages.c.notification_id == notifications.c.id)
            .join(deliveries, deliveries.c.message_id == messages.c.id)
            .where(notifications.c.id == notification_id, notifications.c.client_id == self._client_id)
            .order_by(deliveries.c.sequence.desc())
            .limit(1)
        )
        row = self._connection.execute(statement).one_or_none()
        return Tracked(**row._mapping) if row else None
