# SPDX-License-Identifier: MIT
"""Who is calling: bearer tokens, known by their SHA-256 alone, each of one organisation."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed
from notify_gateway.store import parties
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import PARTIES_KNOWN_FOR, Gateway

TRUST_SCOPE = "notifications:send"
AUTHORITY_SCOPE = "deliveries:collect"
LOG_SCOPE = "log:read"
OPERATIONS_READ, OPERATIONS_ACT = "operations:read", "operations:act"
SCOPES = {
    "trust": frozenset({TRUST_SCOPE}),
    "authority": frozenset({AUTHORITY_SCOPE}),
    "ig": frozenset({LOG_SCOPE}),
    "operator": frozenset({OPERATIONS_READ, OPERATIONS_ACT}),
}

DENIALS_RECORDED_PER_MINUTE = 10
"""A flood of bad tokens must not fill the log: beyond this many a minute, denials are counted and the count is recorded."""


class Denials:
    """Records that somebody was refused; of one kind at most ``DENIALS_RECORDED_PER_MINUTE`` a minute, and how many more there were."""

    def __init__(self, gateway: Gateway, subject: str) -> None:
        self._gateway = gateway
        self._subject = subject
        self._lock = threading.Lock()
        self._counted = (0, 0)

    def record(self, code: str, *, actor: str = "unknown", organisation: str | None = None) -> None:
        """Count one denial, and append it to the log unless there were too many of them this minute."""
        now = self._gateway.clock.now()
        minute = int(now.timestamp() // 60)
        with self._lock:
            before = self._counted[1] if self._counted[0] != minute else 0
            count = self._counted[1] + 1 if self._counted[0] == minute else 1
            self._counted = (minute, count)
        if count <= DENIALS_RECORDED_PER_MINUTE:
            unrecorded = max(0, before - DENIALS_RECORDED_PER_MINUTE)
            fields: dict[str, str | int] = {"code": code, "count": unrecorded + 1}
            if organisation is not None:
                fields["organisation"] = organisation
            event = Event("access:denied", at=now, actor=actor, subject=self._subject, fields=fields)
            with self._gateway.engine.begin() as connection:
                append(connection, audit_tables, [event])


class DoorKeeper:
    """Answers who holds a token. Remembers live tokens for ``PARTIES_KNOWN_FOR``, so a revocation takes effect within that time."""

    def __init__(self, gateway: Gateway, *, remember: int = 10_000) -> None:
        self._gateway = gateway
        self._remember = remember
        self._known: OrderedDict[bytes, tuple[float, parties.Token, parties.Client]] = OrderedDict()
        self._lock = threading.Lock()
        self._denials = Denials(gateway, "token")

    def remembers(self, authorization: str | None) -> bool:
        """Tell whether ``admit`` would answer without asking the database."""
        known = self._known.get(_digest(authorization or ""))
        return known is not None and 0 <= self._gateway.clock.now().timestamp() - known[0] < PARTIES_KNOWN_FOR.total_seconds()

    def admit(self, authorization: str | None, *scopes: str) -> parties.Client:
        """Return the client whose bearer token ``authorization`` is.

        Raises ``NotAllowed`` with the code of what is wrong: missing, unknown, expired, revoked, or with none of ``scopes``.
        """
        if not authorization:
            raise NotAllowed(Issue(Code.TOKEN_MISSING))
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise NotAllowed(Issue(Code.TOKEN_MISSING))
        held = self._look_up(_digest(authorization))
        if held is None:
            raise self._denied(Code.TOKEN_UNKNOWN, None)
        record, client = held
        now = self._gateway.clock.now()
        if record.revoked_at is not None or client.closed_at is not None:
            raise self._denied(Code.TOKEN_REVOKED, client)
        if record.expires_at is not None and record.expires_at <= now:
            raise self._denied(Code.TOKEN_EXPIRED, client)
        if record.scopes.isdisjoint(scopes):
            raise self._denied(Code.SCOPE_MISSING, client)
        return client

    def _look_up(self, digest: bytes) -> tuple[parties.Token, parties.Client] | None:
        now = self._gateway.clock.now().timestamp()
        with self._lock:
            known = self._known.get(digest)
        if known is not None and 0 <= now - known[0] < PARTIES_KNOWN_FOR.total_seconds():
            return known[1], known[2]
        with reading(self._gateway.engine).begin() as connection:
            held = parties.find_token(connection, digest)
        with self._lock:
            self._known.pop(digest, None)
            if held is not None:
                self._known[digest] = (now, *held)
                while len(self._known) > self._remember:
                    self._known.popitem(last=False)
        return held

    def _denied(self, code: str, client: parties.Client | None) -> NotAllowed:
        self._denials.record(code, actor=client.actor if client else "unknown")
        return NotAllowed(Issue(code))


def _digest(authorization: str) -> bytes:
    token = authorization.partition(" ")[2].strip()
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
