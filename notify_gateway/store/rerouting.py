# SPDX-License-Identifier: MIT
"""What waits for an authority follows it to the channel that it has chosen."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, case, or_, select, update

from notify_gateway.store.tables import deliveries


def follow(connection: Connection, authority: str, *, channel: str, now: datetime) -> list[tuple[UUID, UUID, str]]:
    """Move what is queued for the authority by another channel, and in no worker's hands, to ``channel``; it is due there at once.

    Return each delivery that was moved, its notification, and the channel that it had. What is parked stays parked.
    """
    d = deliveries.c
    free = or_(d.lease_until.is_(None), d.lease_until < now)
    waiting = select(d.id, d.notification_id, d.channel).where(d.authority == authority, d.state == "queued", d.channel != channel, free)
    moved = [(row[0], row[1], row[2]) for row in connection.execute(waiting.order_by(d.id).with_for_update())]
    ids = [delivery for delivery, _, _ in moved]
    due_at = case((d.due_at > now, now), else_=d.due_at)
    for start in range(0, len(ids), 500):
        chosen = update(deliveries).where(d.id.in_(ids[start : start + 500]))
        connection.execute(chosen.values(channel=channel, due_at=due_at, hinted_at=None))
    return moved
