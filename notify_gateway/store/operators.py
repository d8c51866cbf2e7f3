# SPDX-License-Identifier: MIT
"""Operators' sessions: who is signed in at the operations pages, by what token, and since when nothing was heard of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from notify_gateway.store.parties import Client
from notify_gateway.store.tables import clients, operator_sessions, tokens


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in; ``cookie_hash`` is the SHA-256 of what it holds."""

    id: UUID
    token_id: UUID
    cookie_hash: bytes
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A session with its operator, what the token allows, and when that token was revoked or the operator's access closed."""

    session: Session
    operator: Client
    scopes: frozenset[str]
    withdrawn_at: datetime | None


def add_session(connection: Connection, session: Session) -> None:
    """Insert a session."""
    connection.execute(insert(operator_sessions), [asdict(session)])


def find_session(connection: Connection, cookie_hash: bytes) -> Held | None:
    """Return the session with this SHA-256, whatever its standing."""
    found = connection.execute(select(operator_sessions).where(operator_sessions.c.cookie_hash == cookie_hash)).one_or_none()
    if found is None:
        return None
    token = connection.execute(select(tokens).where(tokens.c.id == found.token_id)).one()
    owner = Client(**connection.execute(select(clients).where(clients.c.id == token.client_id)).one()._mapping)
    return Held(Session(**found._mapping), owner, frozenset(token.scopes.split()), token.revoked_at or owner.closed_at)


def mark_seen(connection: Connection, session_id: UUID, *, at: datetime) -> None:
    """Note that something was heard of the session."""
    connection.execute(update(operator_sessions).where(operator_sessions.c.id == session_id).values(seen_at=at))


def end_session(connection: Connection, session_id: UUID, *, at: datetime) -> bool:
    """Mark a session ended; tell whether it was not until now."""
    going_on = (operator_sessions.c.id == session_id, operator_sessions.c.ended_at.is_(None))
    return connection.execute(update(operator_sessions).where(*going_on).values(ended_at=at)).rowcount == 1


def forget_sessions(connection: Connection, *, before: datetime) -> int:
    """Delete the sessions that had to end before the instant; return how many."""
    return connection.execute(delete(operator_sessions).where(operator_sessions.c.expires_at < before)).rowcount
