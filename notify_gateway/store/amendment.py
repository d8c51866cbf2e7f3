# SPDX-License-Identifier: MIT
"""Updates and withdrawals of what is held: the whole message replaces, what has not left is overtaken, the order is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from notify_gateway.store.tables import authorities, deliveries, messages, notifications, tombstones

REMEMBER_WITHDRAWALS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Held:
    """What is held under a business identifier, as of its latest message."""

    notification_id: UUID
    message_id: UUID
    reference: str
    authority: str
    child_key: bytes | None
    version_at: datetime
    view: bytes
    view_digest: bytes


def find_held(connection: Connection, *, client_id: UUID, business_key: bytes) -> Held | None:
    """Return what the client's business identifier stands for, or None when nothing is held under it."""
    n, m = notifications.c, messages.c
    row = connection.execute(
        select(n.id, m.id.label("message_id"), n.reference, n.authority, n.child_key, m.version_at, m.view, m.view_digest)
        .join(messages, m.notification_id == n.id)
        .where(n.client_id == client_id, n.business_key == business_key)
        .order_by(m.version_at.desc())
        .limit(1)
    ).one_or_none()
    return Held(*row) if row else None


def latest_version(connection: Connection, notification_id: UUID) -> datetime:
    """Lock the notification until the transaction ends, and return the version of its latest message."""
    connection.execute(select(notifications.c.id).where(notifications.c.id == notification_id).with_for_update())
    latest = select(messages.c.version_at).where(messages.c.notification_id == notification_id).order_by(messages.c.version_at.desc())
    version: datetime = connection.execute(latest.limit(1)).scalar_one()
    return version


def overtake(
    connection: Connection, *, notification_id: UUID, authority: str, now: datetime, withdrawn: bool
) -> tuple[bool, dict[UUID, str]]:
    """Overtake what waits for the authority and has not been received.

    Return whether the authority may know of the notification, and the new state of each delivery that was overtaken.

    What never left is ``cancelled`` by a withdrawal and ``superseded`` by an update; what may have been seen is ``superseded``, and a
    delivery that a worker holds at this moment is left to it: the next one waits until it is closed.
    """
    d = deliveries.c
    rows = connection.execute(
        select(deliveries).where(d.notification_id == notification_id, d.authority == authority).order_by(d.sequence).with_for_update()
    ).all()
    overtaken: dict[UUID, str] = {}
    for row in rows:
        if row.state not in ("queued", "offered") or (row.lease_until is not None and row.lease_until >= now):
            continue
        state = "cancelled" if withdrawn and _never_left(row) else "superseded"
        connection.execute(update(deliveries).where(d.id == row.id).values(state=state, lease_owner=None, lease_until=None))
        overtaken[row.id] = state
    return any(not _never_left(row) for row in rows), overtaken


def add_delivery(connection: Connection, values: dict[str, Any]) -> UUID:
    """Queue a further delivery of a notification, next in its order; return its id."""
    last = connection.scalar(select(func.max(deliveries.c.sequence)).where(deliveries.c.notification_id == values["notification_id"]))
    row = {"id": uuid4(), "attempts": 0, "state": "queued", **values, "sequence": (last or 0) + 1}
    connection.execute(insert(deliveries), [row])
    return UUID(str(row["id"]))


def channel_of(connection: Connection, authority: str) -> str:
    """Return the channel that the authority has chosen."""
    channel: str = connection.execute(select(authorities.c.channel).where(authorities.c.gss == authority)).scalar_one()
    return channel


def move(connection: Connection, *, notification_id: UUID, authority: str, thread_id: UUID | None, child_key: bytes | None) -> None:
    """Give the notification the authority, and the thread and child that are known now and were not before."""
    values: dict[str, Any] = {"authority": authority}
    if thread_id is not None:
        values["thread_id"] = thread_id
    if child_key is not None:
        values["child_key"] = child_key
    connection.execute(update(notifications).where(notifications.c.id == notification_id).values(values))


def leave_tombstone(connection: Connection, *, client_id: UUID, business_key: bytes, version_at: datetime, now: datetime) -> None:
    """Remember a withdrawal of what never came, so that an older ``new`` that comes late is stopped; old tombstones go."""
    t = tombstones.c
    connection.execute(delete(tombstones).where(t.expires_at < now))
    left = upsert(tombstones).values(
        client_id=client_id, business_key=business_key, version_at=version_at, expires_at=now + REMEMBER_WITHDRAWALS
    )
    later = {name: left.excluded[name] for name in ("version_at", "expires_at")}
    # Of several withdrawals the latest counts, in whatever order they come.
    connection.execute(
        left.on_conflict_do_update(index_elements=[t.client_id, t.business_key], set_=later, where=t.version_at < version_at)
    )


def _never_left(row: Row[Any]) -> bool:
    return row.state in ("queued", "cancelled") and row.attempts == 0
