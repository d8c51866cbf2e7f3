# SPDX-License-Identifier: MIT
"""What one person proposed for an authority: its settings, a key to register, a key to retire; and what a second person decided."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, insert, select, update

from notify_gateway.store.tables import authority_proposals


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal. ``subject`` is the authority's GSS code or the key's id, ``content`` canonical JSON, ``fingerprint`` what binds it."""

    id: UUID
    authority: str
    act: str
    subject: str
    content: str
    fingerprint: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


def add(connection: Connection, proposal: Proposal) -> None:
    """Insert a proposal."""
    connection.execute(insert(authority_proposals), [asdict(proposal)])


def waiting(connection: Connection, *, now: datetime, subject: str | None = None) -> list[Proposal]:
    """Return the proposals that wait for a second person, by authority and oldest first; with ``subject`` those about it alone."""
    p = authority_proposals.c
    of_it = [] if subject is None else [p.subject == subject]
    rows = connection.execute(
        select(authority_proposals).where(p.decision.is_(None), p.expires_at > now, *of_it).order_by(p.authority, p.proposed_at, p.id)
    )
    return [Proposal(**row._mapping) for row in rows]


def decide(connection: Connection, *, subject: str, decision: str, by: str, at: datetime, proposal: UUID | None = None) -> bool:
    """Mark the open proposals about a subject, or the one named, as decided; tell whether there was one."""
    p = authority_proposals.c
    which = and_(p.subject == subject, p.decision.is_(None), *([p.id == proposal] if proposal else []))
    changed = connection.execute(update(authority_proposals).where(which).values(decision=decision, decided_by=by, decided_at=at))
    return changed.rowcount > 0
