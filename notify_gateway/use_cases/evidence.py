# SPDX-License-Identifier: MIT
"""Evidence for information governance: the story of one notification, and entries of the log. Looking is itself an event."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, select

from audit.events import Event, read_leaf
from audit.findings import Entry
from audit.log import append
from audit.tiles import WIDTH, Tile
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, deliveries, messages, notifications, reveal_grants, succession_tables
from notify_gateway.use_cases import proofs
from notify_gateway.use_cases.gateway import Core, Gateway


def story(core: Core, *, reference: str, actor: str) -> list[Entry]:
    """Return all that the log says of a notification, in order; raises ``NotFound`` for a reference that there is not.

    Entries that are not in the log yet (a second or so after the act) are not in the story either; those of closed logs come first, each
    with its index there.
    """
    with core.engine.begin() as connection:
        ids = _ids(connection, reference)
        append(connection, audit_tables, [Event("log:viewed", at=core.clock.now(), actor=actor, subject=reference)])
    leaf, past = audit_tables.leaf.c, succession_tables.leaf.c
    about = [*map(str, ids), reference]
    with reading(core.engine).begin() as connection:
        before = select(past.idx, past.leaf).where(past.subject.in_(about)).order_by(past.epoch, past.idx)
        now = select(leaf.idx, leaf.leaf).where(leaf.subject.in_(about)).order_by(leaf.idx)
        rows = [*connection.execute(before), *connection.execute(now)]
    return [Entry(row.idx, read_leaf(row.leaf)) for row in rows]


def entries(gateway: Gateway, *, tile: Tile, actor: str) -> bytes:
    """Return a bundle of entries of the signed log, once it is in the log who reads which; raises ``NotFound`` where the log has not grown
    to."""
    bundle = proofs.tile(gateway, tile)
    first = tile.index * WIDTH
    fields: dict[str, str | int] = {"first": first, "last": first + tile.width - 1}
    event = Event("log_entries:viewed", at=gateway.clock.now(), actor=actor, subject=gateway.settings.log_origin, fields=fields)
    with gateway.engine.begin() as connection:
        append(connection, audit_tables, [event])
    return bundle


def _ids(connection: Connection, reference: str) -> list[UUID]:
    notification_id = connection.scalar(select(notifications.c.id).where(notifications.c.reference == reference))
    if notification_id is None:
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    own = list(connection.scalars(select(messages.c.id).where(messages.c.notification_id == notification_id)))
    sent = list(connection.scalars(select(deliveries.c.id).where(deliveries.c.notification_id == notification_id)))
    grants = list(connection.scalars(select(reveal_grants.c.id).where(reveal_grants.c.message_id.in_(own))))
    return [notification_id, *own, *sent, *grants]
