# SPDX-License-Identifier: MIT
"""All keys and tokens side by side, ours and our partners': since when, until when, by which fingerprint. Public halves alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from notify_gateway.domain.standing import Level
from notify_gateway.privacy.keys import fingerprint
from notify_gateway.store import overview, parties, sign_in
from notify_gateway.store.engine import reading
from notify_gateway.use_cases import log_keys
from notify_gateway.use_cases.gateway import Core

SOON, VERY_SOON = timedelta(days=30), timedelta(days=7)
"""How long before its end something is told of."""


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A key's public side; ``created_at`` is None where nobody noted it, ``ended_at`` while it is in use."""

    holder: str
    purpose: str
    kid: str
    fingerprint: str
    created_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ending:
    """A token of somebody's and when it ends; ``ends_at`` is None for one that lasts."""

    holder: str
    kind: str
    created_at: datetime
    ends_at: datetime | None
    level: Level


@dataclass(frozen=True, slots=True)
class Keys:
    """What the service and its partners hold."""

    at: datetime
    ours: tuple[KeyShown, ...]
    authorities: tuple[KeyShown, ...]
    trusts: tuple[KeyShown, ...]
    tokens: tuple[Ending, ...]


def all_keys(core: Core) -> Keys:
    """Return the public side of every key that is or was in use, and the tokens that can be used."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        authorities = tuple(_of_authorities(connection))
        trusts = tuple(_of_trusts(connection))
        tokens = tuple(_ending(each, now) for each in overview.live_tokens(connection, now=now))
    return Keys(now, tuple(_ours(core)), authorities, trusts, tokens)


def _ours(core: Core) -> Iterator[KeyShown]:
    gateway = core.signing_key.public()
    yield KeyShown("This service", "signs sealed headers, webhooks and promises", gateway.kid, fingerprint(gateway), None, None)
    for each in log_keys.published(core.settings.keys).keys:
        yield KeyShown("This service", "signs the audit log", each.key.kid, fingerprint(each.key), each.since, each.until)


def _of_authorities(connection: Connection) -> Iterator[KeyShown]:
    for receiver in parties.receivers(connection).values():
        holder = f"{receiver.gss} {receiver.name}"
        for key in receiver.keys:
            yield KeyShown(holder, f"{key.purpose}, {key.suite}", key.kid, key.fingerprint, key.created_at, key.retired_at)


def _of_trusts(connection: Connection) -> Iterator[KeyShown]:
    for client in parties.list_clients(connection, "trust"):
        for key in sign_in.keys_of(connection, client.id):
            yield KeyShown(f"{client.code} {client.name}", "signs in", key.kid, key.thumbprint, key.created_at, key.revoked_at)


def _ending(token: overview.TokenEnd, now: datetime) -> Ending:
    left = None if token.expires_at is None else token.expires_at - now
    # An operator's token is meant to end with the shift.
    level = Level.OK if left is None or left > SOON or token.kind == "operator" else Level.FAIL if left <= VERY_SOON else Level.WARN
    return Ending(token.code, token.kind, token.created_at, token.expires_at, level)
