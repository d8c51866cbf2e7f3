# SPDX-License-Identifier: MIT
"""One delivery as operators see it: where it stands, how large it is, and what the log says happened to it. Never what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from audit.events import Event, read_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store import operating
from notify_gateway.store.engine import reading
from notify_gateway.store.operating import Item, Matching
from notify_gateway.store.tables import audit_tables, deliveries, envelopes, messages, notifications
from notify_gateway.use_cases.gateway import Core

MOST_EVENTS = 200
_OURS = "delivery:"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the log says of a delivery; ``code`` is that of an outcome or a reason."""

    at: datetime
    tag: str
    actor: str
    attempt: int | None
    code: str | None


@dataclass(frozen=True, slots=True)
class DeliveryShown:
    """A delivery by ids, codes and sizes in bytes; ``item`` only while it is open."""

    at: datetime
    id: UUID
    notification_id: UUID
    reference: str
    authority: str
    channel: str
    event: str
    state: str
    attempts: int
    accepted_at: datetime
    offered_at: datetime | None
    received_at: datetime | None
    view_bytes: int
    sealed: dict[str, int]
    item: Item | None
    happened: tuple[Happening, ...]

    @property
    def may_be_given_up(self) -> bool:
        """Tell whether it has not come to its end."""
        return self.item is not None


def show_delivery(core: Core, *, delivery_id: UUID) -> DeliveryShown:
    """Return the delivery; raises ``NotFound``."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        d, m = deliveries.c, messages.c
        row = connection.execute(
            select(deliveries, notifications.c.reference, m.accepted_at, func.length(m.view).label("view_bytes"))
            .join(messages, m.id == d.message_id)
            .join(notifications, notifications.c.id == d.notification_id)
            .where(d.id == delivery_id)
        ).one_or_none()
        if row is None:
            raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
        stored = select(envelopes.c.kind, func.length(envelopes.c.stored)).where(envelopes.c.message_id == row.message_id)
        sealed = {kind: size for kind, size in connection.execute(stored.order_by(envelopes.c.kind))}
        items = operating.items(connection, Matching(ids=(delivery_id,)), now=now)
        happened = tuple(_happened(event) for event in _events(connection, delivery_id))
    return DeliveryShown(
        at=now,
        id=row.id,
        notification_id=row.notification_id,
        reference=row.reference,
        authority=row.authority,
        channel=row.channel,
        event=row.event,
        state=row.state,
        attempts=row.attempts,
        accepted_at=row.accepted_at,
        offered_at=row.offered_at,
        received_at=row.received_at,
        view_bytes=row.view_bytes,
        sealed=sealed,
        item=items[0] if items else None,
        happened=happened,
    )


def _events(connection: Connection, delivery_id: UUID) -> list[Event]:
    """Return what the log says of the delivery, also what is not signed yet, the newest first."""
    found: dict[UUID, Event] = {}
    # In the order in which events move: whoever looked at the log first could miss one that is sequenced between the two looks.
    for table, order in ((audit_tables.pending, audit_tables.pending.c.arrival), (audit_tables.leaf, audit_tables.leaf.c.idx)):
        mine = select(table.c.event_id, table.c.leaf).where(table.c.subject == str(delivery_id), table.c.tag.startswith(_OURS))
        newest = mine.order_by(order.desc()).limit(MOST_EVENTS)
        found = found | {row.event_id: read_leaf(row.leaf) for row in connection.execute(newest) if row.event_id not in found}
    return list(found.values())[:MOST_EVENTS]


def _happened(event: Event) -> Happening:
    attempt, code = event.fields.get("attempt"), event.fields.get("code") or event.fields.get("reason")
    return Happening(event.at, event.tag, event.actor, int(attempt) if attempt is not None else None, str(code) if code else None)
