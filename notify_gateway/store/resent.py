# SPDX-License-Identifier: MIT
"""What an earlier sending of the same request came to, for a sender whose answer was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from notify_gateway.store.tables import audit_tables, messages, notifications


@dataclass(frozen=True, slots=True)
class Resent:
    """An acceptance that stands: all from which its promise can be given again."""

    reference: str
    authority: str
    accepted_at: datetime
    leaf_hash: bytes


def find_resent(connection: Connection, *, client_id: UUID, request_id: UUID) -> Resent | None:
    """Return what the client's request was accepted as, or None where none was accepted under this id."""
    waiting, held = audit_tables.pending, audit_tables.leaf
    statement = (
        select(
            notifications.c.reference,
            messages.c.authority,
            messages.c.accepted_at,
            func.coalesce(held.c.leaf_hash, waiting.c.leaf_hash).label("leaf_hash"),
        )
        .join(notifications, notifications.c.id == messages.c.notification_id)
        .outerjoin(waiting, waiting.c.event_id == messages.c.accepted_event)
        .outerjoin(held, held.c.event_id == messages.c.accepted_event)
        .where(messages.c.client_id == client_id, messages.c.request_id == request_id)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None or row.leaf_hash is None else Resent(**row._mapping)
