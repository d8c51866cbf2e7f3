# SPDX-License-Identifier: MIT
"""What entries about a notification commit to and do not say, for information governance; that somebody looked is recorded first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from audit import detail, detail_store
from audit.events import Event, read_leaf
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, event_details, notifications
from notify_gateway.use_cases.gateway import Core


@dataclass(frozen=True, slots=True)
class Told:
    """An entry that commits to a detail; ``words`` and ``salt`` (hex) are None once the detail was erased."""

    index: int
    event: Event
    words: str | None
    salt: str | None


def details_of(core: Core, *, reference: str, actor: str) -> list[Told]:
    """Return the entries of a notification that commit to a detail, each with what is left of it, in the log's order.

    Raises ``NotFound`` for a reference that there is not, and ``DetailDiffers`` for a detail that is not what its entry commits to.
    """
    with core.engine.begin() as connection:
        notification = connection.scalar(select(notifications.c.id).where(notifications.c.reference == reference))
        if notification is None:
            raise NotFound(Issue(Code.TASK_UNKNOWN))
        append(connection, audit_tables, [Event("log:viewed", at=core.clock.now(), actor=actor, subject=reference)])
    leaf = audit_tables.leaf.c
    with reading(core.engine).begin() as connection:
        rows = connection.execute(
            select(leaf.idx, leaf.event_id, leaf.leaf).where(leaf.subject == str(notification)).order_by(leaf.idx)
        ).all()
        kept = detail_store.read(connection, event_details, about=[str(notification)])
    events = [(row.idx, row.event_id, read_leaf(bytes(row.leaf))) for row in rows]
    return [_told(index, event, kept.get(event_id)) for index, event_id, event in events if detail.FIELD in event.fields]


def _told(index: int, event: Event, kept: detail.Detail | None) -> Told:
    return Told(index, event, None, None) if kept is None else Told(index, event, detail.verify(event, kept), kept.salt.hex())
