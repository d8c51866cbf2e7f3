# SPDX-License-Identifier: MIT
"""Who is on the service: clients with their tokens, authorities with their channel and keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from notify_gateway.domain.route import Route
from notify_gateway.store.tables import access_tokens, authorities, authority_keys, client_keys, clients, tokens


@dataclass(frozen=True, slots=True)
class Client:
    """Who calls the service: a trust by its ODS code, an authority by its GSS code, or a reader or operator by a name of its own."""

    id: UUID
    kind: str
    code: str
    name: str
    organisation_type: str
    created_at: datetime
    closed_at: datetime | None

    @property
    def actor(self) -> str:
        """The client as the log names it; no name that somebody chose for a person or a post can be taken for an organisation's code."""
        return f"{self.kind}:{self.code}" if self.kind in ("ig", "operator") else self.code


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, known by its SHA-256 alone."""

    id: UUID
    client_id: UUID
    token_hash: bytes
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuthorityKey:
    """A public key to which envelopes for the authority are sealed while it is live."""

    kid: str
    authority: str
    suite: str
    purpose: str
    public_key: bytes
    fingerprint: str
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """An authority on the service."""

    gss: str
    name: str
    custody: str
    channel: str
    created_at: datetime
    closed_at: datetime | None
    route: Route
    keys: tuple[AuthorityKey, ...]

    @property
    def live_keys(self) -> tuple[AuthorityKey, ...]:
        """Return the keys that are not retired."""
        return tuple(key for key in self.keys if key.retired_at is None)


def add_client(connection: Connection, client: Client) -> None:
    """Insert a client; its kind and code are unique together."""
    connection.execute(insert(clients), [_plain(client)])


def find_client(connection: Connection, *, kind: str, code: str) -> Client | None:
    """Return the client of this kind and code."""
    row = connection.execute(select(clients).where(clients.c.kind == kind, clients.c.code == code)).one_or_none()
    return Client(**row._mapping) if row else None


def get_client(connection: Connection, client_id: UUID) -> Client | None:
    """Return the client of this id."""
    row = connection.execute(select(clients).where(clients.c.id == client_id)).one_or_none()
    return Client(**row._mapping) if row else None


def list_clients(connection: Connection, kind: str) -> list[Client]:
    """Return all clients of a kind by code."""
    return [Client(**row._mapping) for row in connection.execute(select(clients).where(clients.c.kind == kind).order_by(clients.c.code))]


def add_token(connection: Connection, token: Token) -> None:
    """Insert a token."""
    connection.execute(insert(tokens), [{**_plain(token), "scopes": " ".join(sorted(token.scopes))}])


def find_token(connection: Connection, token_hash: bytes) -> tuple[Token, Client] | None:
    """Return the token with this SHA-256 and its client, whatever their standing. A short token is revoked with the key it came under."""
    row = connection.execute(select(tokens).where(tokens.c.token_hash == token_hash)).one_or_none()
    if row is None:
        a = access_tokens.c
        short = select(a.id, a.client_id, a.token_hash, a.scopes, a.created_at, a.expires_at, client_keys.c.revoked_at)
        row = connection.execute(short.join(client_keys, client_keys.c.id == a.key_id).where(a.token_hash == token_hash)).one_or_none()
    if row is None:
        return None
    owner = connection.execute(select(clients).where(clients.c.id == row.client_id)).one()
    return Token(**{**row._mapping, "scopes": frozenset(row.scopes.split())}), Client(**owner._mapping)


def list_tokens(connection: Connection, client_id: UUID) -> list[Token]:
    """Return all tokens of a client, oldest first."""
    rows = connection.execute(select(tokens).where(tokens.c.client_id == client_id).order_by(tokens.c.created_at))
    return [Token(**{**row._mapping, "scopes": frozenset(row.scopes.split())}) for row in rows]


def revoke_token(connection: Connection, token_id: UUID, *, at: datetime) -> bool:
    """Mark a token revoked; tell whether it was live until now."""
    changed = connection.execute(update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=at))
    return changed.rowcount == 1


def save_authority(connection: Connection, receiver: Receiver) -> None:
    """Insert an authority, or give the one that is there the channel, route, custody and name of ``receiver``; keys are kept apart."""
    values = {name: value for name, value in _plain(receiver).items() if name != "keys"} | {"route": json.dumps(dict(receiver.route))}
    changes = {name: values[name] for name in ("name", "custody", "channel", "route", "closed_at")}
    if connection.execute(update(authorities).where(authorities.c.gss == receiver.gss).values(changes)).rowcount == 0:
        connection.execute(insert(authorities), [values])


def add_key(connection: Connection, key: AuthorityKey) -> None:
    """Insert a key of an authority that is there."""
    connection.execute(insert(authority_keys), [_plain(key)])


def retire_key(connection: Connection, kid: str, *, at: datetime) -> bool:
    """Mark a key retired; tell whether it was live until now. Nothing new is sealed to it; what was sealed stays as it is."""
    changed = connection.execute(
        update(authority_keys).where(authority_keys.c.kid == kid, authority_keys.c.retired_at.is_(None)).values(retired_at=at)
    )
    return changed.rowcount == 1


def receivers(connection: Connection) -> dict[str, Receiver]:
    """Return every authority on the service by its GSS code, with all its keys, oldest first."""
    keys: dict[str, list[AuthorityKey]] = {}
    for row in connection.execute(select(authority_keys).order_by(authority_keys.c.created_at, authority_keys.c.kid)):
        keys.setdefault(row.authority, []).append(AuthorityKey(**row._mapping))
    rows = connection.execute(select(authorities).order_by(authorities.c.gss))
    return {row.gss: Receiver(**{**row._mapping, "route": json.loads(row.route)}, keys=tuple(keys.get(row.gss, ()))) for row in rows}


def _plain(value: object) -> dict[str, object]:
    names: Sequence[str] = type(value).__slots__  # type: ignore[attr-defined]
    return {name: getattr(value, name) for name in names}
