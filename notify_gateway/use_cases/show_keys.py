# SPDX-License-Identifier: MIT
"""All keys and tokens side by side, ours and our partners': since when, until when, by which fingerprint. Public halves alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import Connection

from notify_gateway.domain.standing import Level
from notify_gateway.privacy.keys import KeyFileError, fingerprint
from notify_gateway.privacy.ssh_keys import line_fingerprint, public_line
from notify_gateway.store import overview, parties, sign_in
from notify_gateway.store.engine import reading
from notify_gateway.use_cases import gateway_keys, log_keys
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
    """A token or certificate of somebody's and when it ends; ``ends_at`` is None for one that lasts."""

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
    return Keys(now, tuple(_ours(core)), authorities, trusts, (*_certificates(core, now), *tokens))


def _ours(core: Core) -> Iterator[KeyShown]:
    for each in gateway_keys.published(core.settings.keys).keys:
        does = "signs sealed headers, webhooks and promises"
        yield KeyShown("This service", does, each.key.kid, fingerprint(each.key), each.since, each.until)
    for each in log_keys.published(core.settings.keys).keys:
        yield KeyShown("This service", "signs the audit log", each.key.kid, fingerprint(each.key), each.since, each.until)
    # Files of the workers, which a gateway under an account of its own need not be able to read.
    with suppress(OSError, KeyFileError):
        line = public_line(core.settings.sftp_key)
        yield KeyShown("This service", "signs in to authorities' SFTP servers", "sftp", line_fingerprint(line), None, None)


def _of_authorities(connection: Connection) -> Iterator[KeyShown]:
    for receiver in parties.receivers(connection).values():
        holder = f"{receiver.gss} {receiver.name}"
        for key in receiver.keys:
            yield KeyShown(holder, f"{key.purpose}, {key.suite}", key.kid, key.fingerprint, key.created_at, key.retired_at)
        if (pinned := receiver.route.get("host_key")) is not None:
            yield KeyShown(holder, "its SFTP server's host key, pinned", pinned.split(" ")[0], line_fingerprint(pinned), None, None)


def _of_trusts(connection: Connection) -> Iterator[KeyShown]:
    for client in parties.list_clients(connection, "trust"):
        for key in sign_in.keys_of(connection, client.id):
            yield KeyShown(f"{client.code} {client.name}", "signs in", key.kid, key.thumbprint, key.created_at, key.revoked_at)


def _certificates(core: Core, now: datetime) -> Iterator[Ending]:
    path = core.settings.mesh_certificate
    if path is None:
        return
    with suppress(OSError, ValueError):
        held = load_pem_x509_certificate(path.read_bytes())
        left = held.not_valid_after_utc - now
        yield Ending("This service", "MESH certificate", held.not_valid_before_utc, held.not_valid_after_utc, _level(left))


def _level(left: timedelta | None) -> Level:
    if left is None or left > SOON:
        return Level.OK
    return Level.FAIL if left <= VERY_SOON else Level.WARN


def _ending(token: overview.TokenEnd, now: datetime) -> Ending:
    left = None if token.expires_at is None else token.expires_at - now
    # An operator's token is meant to end with the shift.
    return Ending(token.code, token.kind, token.created_at, token.expires_at, Level.OK if token.kind == "operator" else _level(left))
