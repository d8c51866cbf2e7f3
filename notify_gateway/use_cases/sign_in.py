# SPDX-License-Identifier: MIT
"""Signing in: a trust's system proves itself with an assertion that it signed, and gets a token of ten minutes (RFC 6749 4.4, RFC 7523)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.credentials.assertions import SignInRefused, Spent, Unproven, prove, read, same_address
from notify_gateway.credentials.keys import read_key_set
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.egress.fetch import Fetcher
from notify_gateway.store import parties, sign_in
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.access import SCOPES, Denials
from notify_gateway.use_cases.client_keys import PUBLISHED, fetcher, look_again
from notify_gateway.use_cases.gateway import Gateway

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, no secret
TOKEN_LASTS = timedelta(minutes=10)
PUBLISHED_KEYS_FRESH_FOR = timedelta(minutes=5)
"""After how long published keys are read anew; so long may a key live that its owner has taken away there."""
LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""How often an address is asked at most, whoever names an unknown kid."""
PUBLISHED_KEYS_HELD_FOR = timedelta(hours=24)
"""How long published keys are good for while their address does not answer."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token just made: the only time that its text exists on this side."""

    client_id: UUID
    text: str
    scopes: frozenset[str]
    lasts: timedelta

    def __repr__(self) -> str:
        return "Issued(<withheld>)"


@dataclass(frozen=True, slots=True)
class _Standing:
    client: parties.Client
    keys: tuple[sign_in.ClientKey, ...]
    source: sign_in.KeySource | None

    def key(self, kid: str) -> sign_in.ClientKey | None:
        return next((key for key in self.keys if key.kid == kid), None)


class Reception:
    """Where systems sign in; one of each process."""

    def __init__(self, gateway: Gateway, fetch: Fetcher | None = None) -> None:
        self._gateway = gateway
        self._fetch = fetch or fetcher(gateway.settings)
        self._denials = Denials(gateway, "sign-in")

    @property
    def token_url(self) -> str:
        """Return the address of the token endpoint: what assertions name as their audience."""
        return self._gateway.settings.base_url.rstrip("/") + TOKEN_PATH

    def token_for(self, assertion: str, scope: str | None) -> Issued:
        """Return a new token for the client that signed ``assertion``; the assertion is used up by it, and only the digests are kept.

        Raises ``SignInRefused`` for a client that did not prove itself, ``Refused`` for a scope that it may not have.
        """
        organisation: str | None = None
        try:
            unproven = read(assertion)
            standing = self._standing(unproven)
            organisation = standing.client.code
            key = self._key(standing, unproven)
            spent = prove(unproven, read_key_set(key.jwk.encode())[0], audience=self.token_url, now=self._gateway.clock.now())
            return self._issue(standing.client, key, spent, _scopes(scope))
        except SignInRefused as error:
            self._denials.record(error.issues[0].code, organisation=organisation)
            raise

    def _standing(self, unproven: Unproven) -> _Standing:
        try:
            client_id = UUID(unproven.issuer)
        except ValueError:
            raise SignInRefused(Code.ASSERTION_CLIENT_UNKNOWN) from None
        now = self._gateway.clock.now()
        with reading(self._gateway.engine).begin() as connection:
            client = parties.get_client(connection, client_id)
            if client is None or client.kind != "trust" or str(client.id) != unproven.issuer:
                waiting = sign_in.open_proposal(connection, now=now, client_id=client_id) is not None
                raise SignInRefused(Code.CLIENT_NOT_APPROVED if waiting else Code.ASSERTION_CLIENT_UNKNOWN)
            if client.closed_at is not None:
                raise SignInRefused(Code.CLIENT_CLOSED)
            return _read_standing(connection, client)

    def _key(self, standing: _Standing, unproven: Unproven) -> sign_in.ClientKey:
        """Return the live key that the assertion names, looked up at its address if that is due; raises ``SignInRefused``."""
        source = standing.source
        if not same_address(unproven.key_address, source.url if source else None):
            raise SignInRefused(Code.ASSERTION_HEADER)
        if source is not None and self._look_is_due(source, standing.key(unproven.kid)):
            standing = self._look(standing, source)
        key = standing.key(unproven.kid)
        if key is None:
            raise SignInRefused(Code.ASSERTION_KEY_UNKNOWN)
        if key.revoked_at is not None:
            raise SignInRefused(Code.ASSERTION_KEY_REVOKED)
        if key.registered_by == PUBLISHED and (standing.source is None or self._age(standing.source) > PUBLISHED_KEYS_HELD_FOR):
            raise SignInRefused(Code.CLIENT_KEYS_STALE)
        return key

    def _look_is_due(self, source: sign_in.KeySource, key: sign_in.ClientKey | None) -> bool:
        return (
            key is None or key.revoked_by == PUBLISHED or (key.registered_by == PUBLISHED and self._age(source) >= PUBLISHED_KEYS_FRESH_FOR)
        )

    def _age(self, source: sign_in.KeySource) -> timedelta:
        return self._gateway.clock.now() - source.fetched_at

    def _look(self, standing: _Standing, source: sign_in.KeySource) -> _Standing:
        now = self._gateway.clock.now()
        with self._gateway.engine.begin() as connection:
            mine = sign_in.claim_look(connection, standing.client.id, now=now, not_since=now - LOOK_AGAIN_AFTER)
        if not mine or not look_again(self._gateway, self._fetch, client=standing.client, source=source):
            return standing
        with reading(self._gateway.engine).begin() as connection:
            return _read_standing(connection, standing.client)

    def _issue(self, client: parties.Client, key: sign_in.ClientKey, spent: Spent, scopes: frozenset[str]) -> Issued:
        now = self._gateway.clock.now()
        issued = Issued(client.id, f"ng_at_{secrets.token_urlsafe(32)}", scopes, TOKEN_LASTS)
        digest = hashlib.sha256(issued.text.encode()).digest()
        token = sign_in.AccessToken(uuid4(), client.id, key.id, digest, scopes, now, now + TOKEN_LASTS)
        with self._gateway.engine.begin() as connection:
            if not sign_in.spend(connection, client.id, spent.jti_hash, until=spent.until):
                raise SignInRefused(Code.ASSERTION_SPENT)
            sign_in.add_access_token(connection, token)
            append(connection, audit_tables, [_issued(client.code, token, key.thumbprint, now)])
        return issued


def _read_standing(connection: Connection, client: parties.Client) -> _Standing:
    return _Standing(client, tuple(sign_in.keys_of(connection, client.id)), sign_in.source_of(connection, client.id))


def _scopes(asked: str | None) -> frozenset[str]:
    allowed = SCOPES["trust"]
    wanted = frozenset((asked or "").split(" ")) - {""}
    if wanted - allowed:
        raise Refused(Issue(Code.SIGN_IN_SCOPE))
    return wanted or allowed


def _issued(ods: str, token: sign_in.AccessToken, thumbprint: str, now: datetime) -> Event:
    fields = {"token": str(token.id), "key": f"jkt:{thumbprint}", "scopes": ",".join(sorted(token.scopes))}
    return Event("token:issued", at=now, actor=ods, subject=ods, fields=fields)
