# SPDX-License-Identifier: MIT
"""Operators at the operations pages: tokens for a shift, sessions that end by themselves. What is kept of either is a digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotAllowed
from notify_gateway.store import operators, parties
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.access import OPERATIONS_ACT, OPERATIONS_READ, Denials
from notify_gateway.use_cases.gateway import Core, Gateway

IDLE, ABSOLUTE = timedelta(minutes=15), timedelta(hours=8)
"""A session ends when nothing was heard of it for so long, and in any case after so long, or with its token."""
NOTED_EVERY = timedelta(seconds=20)
"""How exactly it is known when something was last heard of a session: not every page is worth a write."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened; ``cookie`` is what the browser holds, and the only copy."""

    cookie: str
    operator: str
    lasts: timedelta

    def __repr__(self) -> str:
        return f"Opened(cookie=<withheld>, operator={self.operator})"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is at the pages: the actor as the log names it, whether it may change anything, and the token that its forms bear."""

    session_id: UUID
    actor: str
    may_act: bool
    form_token: str

    def __repr__(self) -> str:
        return f"SignedIn(actor={self.actor}, may_act={self.may_act})"


def issue_token(gateway: Gateway, *, name: str, lasts: timedelta, may_act: bool, actor: str) -> onboard.NewToken:
    """Make a token of the operator ``name``, who is registered with the first; without ``may_act`` it only looks."""
    with suppress(Conflict):  # it is not the first token
        onboard.register_operator(gateway, code=name, actor=actor)
    scopes = frozenset({OPERATIONS_READ, OPERATIONS_ACT} if may_act else {OPERATIONS_READ})
    return onboard.issue_token(gateway, kind="operator", code=name, lasts=lasts, actor=actor, scopes=scopes)


def sign_in(gateway: Gateway, denials: Denials, *, token: str) -> Opened:
    """Open a session for the operator whose token this is.

    Raises ``NotAllowed`` with the code of what is wrong: unknown, expired, revoked, or a token of somebody who is no operator.
    """
    now = gateway.clock.now()
    with reading(gateway.engine).begin() as connection:
        held = parties.find_token(connection, _digest(token))
    code = _fault(held, gateway)
    if held is None or code is not None:
        denials.record(code or Code.TOKEN_UNKNOWN, actor=held[1].actor if held else "unknown")
        raise NotAllowed(Issue(code or Code.TOKEN_UNKNOWN))
    record, client = held
    until = min(now + ABSOLUTE, record.expires_at or now + ABSOLUTE)
    cookie = secrets.token_urlsafe(32)
    session = operators.Session(uuid4(), record.id, _digest(cookie), now, now, until)
    with gateway.engine.begin() as connection:
        operators.forget_sessions(connection, before=now - ABSOLUTE)
        operators.add_session(connection, session)
        fields = {"token": str(record.id)}
        append(connection, audit_tables, [Event("session:opened", at=now, actor=client.actor, subject=str(session.id), fields=fields)])
    return Opened(cookie, client.actor, until - now)


def signed_in(core: Core, *, cookie: str) -> SignedIn | None:
    """Return who holds this cookie; None once the session has ended, for whatever reason."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        held = operators.find_session(connection, _digest(cookie))
    if held is None or held.withdrawn_at is not None or OPERATIONS_READ not in held.scopes:
        return None
    session = held.session
    if session.ended_at is not None or session.expires_at <= now or session.seen_at + IDLE <= now:
        return None
    if session.seen_at + NOTED_EVERY <= now:
        with core.engine.begin() as connection:
            operators.mark_seen(connection, session.id, at=now)
    return SignedIn(session.id, held.operator.actor, OPERATIONS_ACT in held.scopes, _form_token(cookie))


def sign_out(core: Core, who: SignedIn) -> None:
    """End the session."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        if operators.end_session(connection, who.session_id, at=now):
            append(connection, audit_tables, [Event("session:closed", at=now, actor=who.actor, subject=str(who.session_id), fields={})])


def _fault(held: tuple[parties.Token, parties.Client] | None, core: Core) -> Code | None:
    if held is None:
        return Code.TOKEN_UNKNOWN
    token, client = held
    if token.revoked_at is not None or client.closed_at is not None:
        return Code.TOKEN_REVOKED
    if token.expires_at is not None and token.expires_at <= core.clock.now():
        return Code.TOKEN_EXPIRED
    return None if OPERATIONS_READ in token.scopes else Code.SCOPE_MISSING


def _form_token(cookie: str) -> str:
    """Return the session's own token for its forms (synchroniser token): it follows from the cookie, and nobody without it can tell it."""
    return hmac.new(cookie.encode(), b"notify_gateway operations form", hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
