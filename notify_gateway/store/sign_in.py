# SPDX-License-Identifier: MIT
"""What trusts sign in with: keys proposed and let in, addresses where keys are published, assertions spent, tokens given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_if_absent

from notify_gateway.store.tables import access_tokens, client_keys, key_proposals, key_sources, spent_assertions


@dataclass(frozen=True, slots=True)
class Proposal:
    """Keys that one person proposed for a trust and a second one has to approve; ``jwks`` holds them as a JWK Set."""

    id: UUID
    client_id: UUID
    ods: str
    name: str
    organisation_type: str
    jwks: str
    url: str | None
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key that a client signs with while it is not revoked; ``jwk`` is its public JWK."""

    id: UUID
    client_id: UUID
    kid: str
    thumbprint: str
    jwk: str
    registered_by: str
    approved_by: str
    created_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class KeySource:
    """The address where a client publishes its keys; when it was last asked, and when it last answered."""

    client_id: UUID
    url: str
    approved_by: str
    approved_at: datetime
    tried_at: datetime
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A short token, known by its SHA-256 alone, and the key that it was issued under."""

    id: UUID
    client_id: UUID
    key_id: UUID
    token_hash: bytes
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime


def add_proposal(connection: Connection, proposal: Proposal) -> None:
    """Insert a proposal."""
    connection.execute(insert(key_proposals), [asdict(proposal)])


def open_proposal(connection: Connection, *, now: datetime, ods: str | None = None, client_id: UUID | None = None) -> Proposal | None:
    """Return the newest proposal for this trust, or this client, that waits for a second person."""
    p = key_proposals.c
    whose = p.ods == ods if client_id is None else p.client_id == client_id
    row = connection.execute(
        select(key_proposals).where(whose, p.decision.is_(None), p.expires_at > now).order_by(p.proposed_at.desc()).limit(1)
    ).one_or_none()
    return Proposal(**row._mapping) if row else None


def open_proposals(connection: Connection, *, now: datetime) -> list[Proposal]:
    """Return all proposals that wait for a second person, by trust."""
    p = key_proposals.c
    rows = connection.execute(select(key_proposals).where(p.decision.is_(None), p.expires_at > now).order_by(p.ods, p.proposed_at))
    return [Proposal(**row._mapping) for row in rows]


def decide(connection: Connection, *, ods: str, decision: str, by: str, at: datetime, proposal: UUID | None = None) -> bool:
    """Mark the open proposals of a trust, or the one named, as decided; tell whether there was one."""
    p = key_proposals.c
    which = and_(p.ods == ods, p.decision.is_(None), *([p.id == proposal] if proposal else []))
    changed = connection.execute(update(key_proposals).where(which).values(decision=decision, decided_by=by, decided_at=at))
    return changed.rowcount > 0


def keys_of(connection: Connection, client_id: UUID) -> list[ClientKey]:
    """Return all keys of a client, revoked or not, oldest first."""
    rows = connection.execute(
        select(client_keys).where(client_keys.c.client_id == client_id).order_by(client_keys.c.created_at, client_keys.c.kid)
    )
    return [ClientKey(**row._mapping) for row in rows]


def owners_of(connection: Connection, thumbprints: Collection[str]) -> dict[str, UUID]:
    """Return, by thumbprint, the clients that have or had one of these keys."""
    found = select(client_keys.c.thumbprint, client_keys.c.client_id).where(client_keys.c.thumbprint.in_(thumbprints))
    return {row.thumbprint: row.client_id for row in connection.execute(found)}


def add_key(connection: Connection, key: ClientKey) -> None:
    """Insert a key; its thumbprint is nobody else's, its kid is new to the client."""
    connection.execute(insert(client_keys), [asdict(key)])


def revoke_key(connection: Connection, key_id: UUID, *, by: str, at: datetime) -> bool:
    """Mark a key revoked; tell whether it was live until now."""
    live = and_(client_keys.c.id == key_id, client_keys.c.revoked_at.is_(None))
    return connection.execute(update(client_keys).where(live).values(revoked_at=at, revoked_by=by)).rowcount == 1


def revive_key(connection: Connection, key_id: UUID) -> None:
    """Let a key be used again."""
    connection.execute(update(client_keys).where(client_keys.c.id == key_id).values(revoked_at=None, revoked_by=None))


def source_of(connection: Connection, client_id: UUID) -> KeySource | None:
    """Return the address where the client publishes its keys, if it does."""
    row = connection.execute(select(key_sources).where(key_sources.c.client_id == client_id)).one_or_none()
    return KeySource(**row._mapping) if row else None


def save_source(connection: Connection, source: KeySource) -> None:
    """Insert the address of a client, or put it in the place of the one before."""
    values = asdict(source)
    if connection.execute(update(key_sources).where(key_sources.c.client_id == source.client_id).values(values)).rowcount == 0:
        connection.execute(insert(key_sources), [values])


def drop_source(connection: Connection, client_id: UUID) -> bool:
    """Delete the address of a client; tell whether it had one."""
    return connection.execute(delete(key_sources).where(key_sources.c.client_id == client_id)).rowcount == 1


def claim_look(connection: Connection, client_id: UUID, *, now: datetime, not_since: datetime) -> bool:
    """Note that the address is asked now, unless it was asked after ``not_since``; tell whether the caller is the one to ask."""
    due = and_(key_sources.c.client_id == client_id, key_sources.c.tried_at <= not_since)
    return connection.execute(update(key_sources).where(due).values(tried_at=now)).rowcount == 1


def note_answer(connection: Connection, client_id: UUID, *, url: str, at: datetime) -> bool:
    """Note that the address answered; tell whether it is still the one that is registered."""
    same = and_(key_sources.c.client_id == client_id, key_sources.c.url == url)
    return connection.execute(update(key_sources).where(same).values(fetched_at=at)).rowcount == 1


def spend(connection: Connection, client_id: UUID, jti_hash: bytes, *, until: datetime) -> bool:
    """Remember that an assertion was used; tell whether this is its first use, of all processes together."""
    values = {"client_id": client_id, "jti_hash": jti_hash, "expires_at": until}
    # Both databases spell it alike.
    spent = insert_if_absent(spent_assertions).values(values).on_conflict_do_nothing().returning(spent_assertions.c.client_id)
    return connection.execute(spent).one_or_none() is not None


def add_access_token(connection: Connection, token: AccessToken) -> None:
    """Insert a token."""
    connection.execute(insert(access_tokens), [{**asdict(token), "scopes": " ".join(sorted(token.scopes))}])


def forget_before(connection: Connection, *, now: datetime, tokens_before: datetime) -> int:
    """Delete the assertions that have expired anyway, and the tokens that expired before ``tokens_before``; return how many rows."""
    spent = connection.execute(delete(spent_assertions).where(spent_assertions.c.expires_at < now)).rowcount
    return spent + connection.execute(delete(access_tokens).where(access_tokens.c.expires_at < tokens_before)).rowcount
