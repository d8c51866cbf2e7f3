# SPDX-License-Identifier: MIT
"""Bringing trusts and authorities on to the service, with their tokens and keys. Each step is an event in the log."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotAllowed, NotFound
from notify_gateway.domain.model import OrganisationType
from notify_gateway.privacy.keys import RecipientPublicKey
from notify_gateway.store import parties
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import authority_changes as changes
from notify_gateway.use_cases.access import SCOPES
from notify_gateway.use_cases.gateway import Gateway


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: the only time that its text exists on this side."""

    id: UUID
    text: str
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"NewToken(id={self.id}, text=<withheld>)"


def register_trust(gateway: Gateway, *, ods: str, name: str, organisation_type: OrganisationType, actor: str) -> parties.Client:
    """Add a sending organisation; raises ``Conflict`` when it is there already."""
    return _register(gateway, kind="trust", code=ods, name=name, organisation_type=organisation_type.value, actor=actor)


def register_ig(gateway: Gateway, *, code: str, name: str, actor: str) -> parties.Client:
    """Let information governance read the log, under a short name by which the log knows the reader; raises ``Conflict`` for one in use."""
    return _register(gateway, kind="ig", code=code, name=name, organisation_type="information-governance", actor=actor)


def register_operator(gateway: Gateway, *, code: str, actor: str) -> parties.Client:
    """Let an operator at the operations pages, by a short name; raises ``Conflict`` for one who is there already."""
    return _register(gateway, kind="operator", code=code, name=f"Operator {code}", organisation_type="operator", actor=actor)


def register_authority(
    gateway: Gateway, *, gss: str, custody: str, channel: str, route: Mapping[str, str | None] | None = None, actor: str
) -> parties.Receiver:
    """Put a responsible authority on the service, or change its custody, channel or route.

    Raises ``Refused`` when the code is no responsible authority's today, or when the route is not what the channel needs, and
    ``NotAllowed`` where it takes two people (``two_people``), as it does in a live deployment.
    """
    _require_one_person_enough(gateway)
    now = gateway.clock.now()
    receiver = changes.described(gateway.directory, gss=gss, custody=custody, channel=channel, route=route or {}, now=now)
    with gateway.engine.begin() as connection:
        changes.put_on(connection, receiver, actor=actor, now=now)
    gateway.receivers.forget()
    return receiver


def register_key(gateway: Gateway, *, key: RecipientPublicKey, actor: str) -> parties.AuthorityKey:
    """Begin sealing to a further public key of an authority; raises ``NotFound`` for an authority that is not on the service.

    Raises ``Conflict`` for a key that is or was registered, and ``NotAllowed`` where it takes two people.
    """
    _require_one_person_enough(gateway)
    with gateway.engine.begin() as connection:
        made = changes.let_key_in(connection, key, actor=actor, now=gateway.clock.now())
    gateway.receivers.forget()
    return made


def retire_key(gateway: Gateway, *, kid: str, actor: str) -> None:
    """Stop sealing to a key; raises ``NotFound`` when there is no such live key, ``NotAllowed`` where it takes two people."""
    _require_one_person_enough(gateway)
    with gateway.engine.begin() as connection:
        changes.end_key(connection, kid, actor=actor, now=gateway.clock.now())
    gateway.receivers.forget()


def issue_token(
    gateway: Gateway, *, kind: str, code: str, lasts: timedelta | None, actor: str, scopes: frozenset[str] | None = None
) -> NewToken:
    """Make a bearer token of the organisation; raises ``NotFound`` when it is not registered. Only its SHA-256 is kept.

    It has all scopes of its kind, or those of them that ``scopes`` names.
    Raises ``NotAllowed`` for a trust where trusts sign in with keys of their own.
    """
    if kind == "trust" and not gateway.settings.trusts_get_lasting_tokens:
        raise NotAllowed(Issue(Code.LASTING_TOKENS_OFF))
    now = gateway.clock.now()
    text = f"ng_{kind}_{secrets.token_urlsafe(32)}"
    token = NewToken(uuid4(), text, now + lasts if lasts else None)
    with gateway.engine.begin() as connection:
        client = parties.find_client(connection, kind=kind, code=code)
        if client is None:
            raise NotFound(Issue(Code.CLIENT_UNKNOWN))
        digest = hashlib.sha256(text.encode()).digest()
        allowed = SCOPES[kind] & (scopes or SCOPES[kind])
        parties.add_token(connection, parties.Token(token.id, client.id, digest, allowed, now, token.expires_at, None))
        _record(connection, "token:issued", actor, client.actor, now, token=str(token.id))
    return token


def revoke_token(gateway: Gateway, *, token_id: UUID, actor: str) -> None:
    """Revoke a token; raises ``NotFound`` when there is no such live token. Processes that know it refuse it within seconds."""
    now = gateway.clock.now()
    with gateway.engine.begin() as connection:
        if not parties.revoke_token(connection, token_id, at=now):
            raise NotFound(Issue(Code.TOKEN_RECORD_UNKNOWN))
        _record(connection, "token:revoked", actor, str(token_id), now)


def _require_one_person_enough(gateway: Gateway) -> None:
    if not gateway.settings.one_person_onboards:
        raise NotAllowed(Issue(Code.TWO_PEOPLE_NEEDED))


def _register(gateway: Gateway, *, kind: str, code: str, name: str, organisation_type: str, actor: str) -> parties.Client:
    now = gateway.clock.now()
    client = parties.Client(uuid4(), kind, code, name, organisation_type, now, None)
    with gateway.engine.begin() as connection:
        if parties.find_client(connection, kind=kind, code=code) is not None:
            raise Conflict(Issue(Code.CLIENT_KNOWN))
        parties.add_client(connection, client)
        _record(connection, "client:registered", actor, client.actor, now, organisation=client.actor)
    return client


def _record(connection: Connection, tag: str, actor: str, subject: str, now: datetime, **fields: str | int) -> None:
    append(connection, audit_tables, [Event(tag, at=now, actor=actor, subject=subject, fields=fields)])
