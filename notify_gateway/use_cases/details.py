# SPDX-License-Identifier: MIT
"""What entries about a notification commit to and do not say, for information governance; that somebody looked is recorded first."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import literal, select

from audit import detail, detail_store
from audit.events import Event, read_leaf
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client
from notify_gateway.store.tables import audit_tables, event_details, notifications, succession_tables
from notify_gateway.use_cases.gateway import Core


@dataclass(frozen=True, slots=True)
class Told:
    """An entry that commits to a detail, and what is left of that: ``kept`` is None once the detail was erased.

    ``log`` is the number of the closed log that the entry stands in, None for the one that lives.
    """

    index: int
    event_id: UUID
    leaf: bytes
    event: Event
    kept: detail.Detail | None
    log: int | None

    @property
    def words(self) -> str | None:
        """Return the words, None once they were erased; raises ``DetailDiffers`` when they are not what the entry commits to."""
        return None if self.kept is None else detail.verify(self.event, self.kept)

    @property
    def salt(self) -> str | None:
        """Return the salt in hex, None once it was erased."""
        return None if self.kept is None else self.kept.salt.hex()


def details_of(core: Core, *, reference: str, actor: str, own: Client | None = None) -> list[Told]:
    """Return the entries of a notification that commit to a detail, each with what is left of it, closed logs' first; recorded before.

    ``own``: an authority, which is shown what is its own. Raises ``NotFound`` for a reference that there is not, or is another authority's.
    """
    with core.engine.begin() as connection:
        n = notifications.c
        row = connection.execute(select(n.id, n.authority).where(n.reference == reference)).one_or_none()
        if row is None or (own is not None and row.authority != own.code):
            raise NotFound(Issue(Code.TASK_UNKNOWN))
        append(connection, audit_tables, [Event("log:viewed", at=core.clock.now(), actor=actor, subject=reference)])
    about = str(row.id)
    leaf, past = audit_tables.leaf.c, succession_tables.leaf.c
    with reading(core.engine).begin() as connection:
        closed = select(past.epoch, past.idx, past.event_id, past.leaf).where(past.subject == about).order_by(past.epoch, past.idx)
        lives = select(literal(None).label("epoch"), leaf.idx, leaf.event_id, leaf.leaf).where(leaf.subject == about).order_by(leaf.idx)
        rows = [*connection.execute(closed), *connection.execute(lives)]
        kept = detail_store.read(connection, event_details, about=[about])
    found = [Told(idx, event_id, bytes(entry), read_leaf(bytes(entry)), kept.get(event_id), epoch) for epoch, idx, event_id, entry in rows]
    return [each for each in found if detail.FIELD in each.event.fields and (own is None or own.code in _parties(each.event))]


def _parties(event: Event) -> tuple[object, ...]:
    return event.actor, event.fields.get("authority")
