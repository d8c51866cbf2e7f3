# SPDX-License-Identifier: MIT
"""Evidence for information governance: the story of one notification, and the whole log. Looking is itself an event, recorded first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from audit.events import Event, read_leaf
from audit.log import append, export_lines, read_leaves
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, deliveries, messages, notifications, reveal_grants
from notify_gateway.use_cases.gateway import Core

PAGE = 5000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log, with its place in it."""

    index: int
    event: Event


def story(core: Core, *, reference: str, actor: str) -> list[Entry]:
    """Return all that the log says of a notification, in order; raises ``NotFound`` for a reference that there is not.

    Entries that are not in the log yet (a second or so after the act) are not in the story either.
    """
    with core.engine.begin() as connection:
        ids = _ids(connection, reference)
        first = connection.scalar(select(audit_tables.leaf.c.idx).where(audit_tables.leaf.c.event_id == _accepted(connection, reference)))
        append(connection, audit_tables, [Event("log:viewed", at=core.clock.now(), actor=actor, subject=reference)])
    if first is None:
        return []
    wanted = [str(each).encode() for each in ids]
    found: list[Entry] = []
    start = first
    while True:
        with reading(core.engine).begin() as connection:
            page = read_leaves(connection, audit_tables, start=start, limit=PAGE)
        if not page:
            return found
        found += [Entry(index, read_leaf(leaf)) for index, _, leaf in page if any(each in leaf for each in wanted)]
        start = page[-1][0] + 1


def export(core: Core, *, actor: str) -> Iterator[str]:
    """Yield the signed log as JSON lines, each without its line end; that it was exported is recorded before the first one."""
    with core.engine.begin() as connection:
        append(connection, audit_tables, [Event("log:exported", at=core.clock.now(), actor=actor, subject=core.settings.log_origin)])
    with reading(core.engine).begin() as connection:
        yield from export_lines(connection, audit_tables)


def _accepted(connection: Connection, reference: str) -> UUID | None:
    m, n = messages.c, notifications.c
    statement = select(m.accepted_event).join(notifications, n.id == m.notification_id).where(n.reference == reference)
    return connection.scalar(statement.order_by(m.version_at).limit(1))


def _ids(connection: Connection, reference: str) -> list[UUID]:
    notification_id = connection.scalar(select(notifications.c.id).where(notifications.c.reference == reference))
    if notification_id is None:
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    own = list(connection.scalars(select(messages.c.id).where(messages.c.notification_id == notification_id)))
    sent = list(connection.scalars(select(deliveries.c.id).where(deliveries.c.notification_id == notification_id)))
    grants = list(connection.scalars(select(reveal_grants.c.id).where(reveal_grants.c.message_id.in_(own))))
    return [notification_id, *own, *sent, *grants]
