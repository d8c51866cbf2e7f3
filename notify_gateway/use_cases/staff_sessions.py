# SPDX-License-Identifier: MIT
"""Sessions of people: they end by themselves, can be ended, and carry over what was typed. Of a cookie the digest alone is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.typed import Typed, TypedUnreadable, seal, unseal
from notify_gateway.store import staff
from notify_gateway.store.engine import reading
from notify_gateway.store.staff import Member, Members, Session
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.client_keys import Books

IDLE, ABSOLUTE = timedelta(minutes=15), timedelta(hours=8)
"""A session ends when nothing was heard of it for so long, and in any case after so long."""
STEP_UP_LASTS = timedelta(minutes=10)
"""So long after somebody proved anew who they are, dangerous acts are open to them."""
FORM_KEPT = timedelta(minutes=30)
"""How long what was typed waits for its owner to sign in again."""
NOTED_EVERY = timedelta(seconds=20)
"""How exactly it is known when something was last heard of a session: not every page is worth a write."""
_WHOSE = 16
"""Hexadecimal digits at the end of a form token that say whose it is."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is signed in, in one of their sessions, and the token that the forms of that session bear."""

    person: Person
    session_id: UUID
    form_token: str
    stepped_up_at: datetime | None
    stepped_up: bool
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Visit(person={self.person!r}, session_id={self.session_id})"


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A session that ended by itself, and the token that its forms bear."""

    session: Session
    form_token: str

    def __repr__(self) -> str:
        return f"Lapsed(session_id={self.session.id})"


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened or renewed; ``cookie`` is what the browser holds, and the only copy. ``kept``: something typed waits in it."""

    cookie: str
    person: Person
    session_id: UUID
    kept: bool = False

    def __repr__(self) -> str:
        return f"Opened(cookie=<withheld>, person={self.person!r})"


def open_session(books: Books, member: Member, *, provider: str, before: str | None = None) -> Opened:
    """Open a session for a member who proved who they are.

    The session of the cookie ``before``, whosever it is, ends: a browser is one person at a time. What had been typed in it goes with its
    owner, and with nobody else.
    """
    now, cookie = books.clock.now(), secrets.token_urlsafe(32)
    session = Session(uuid4(), member.id, member.organisation, _digest(cookie), now, now, now + ABSOLUTE)
    roles = ",".join(sorted(member.roles)) or "none"
    event = Event(
        "staff_session:opened",
        at=now,
        actor=member.person.actor,
        subject=str(session.id),
        fields={"organisation": member.organisation, "provider": provider, "roles": roles},
    )
    with books.engine.begin() as connection:
        staff.forget(connection, now=now, sessions_before=now - ABSOLUTE)
        staff.add_session(connection, session)
        kept = before is not None and _carry_over(connection, before, session, cookie, now)
        events = [event, *(_end_before(connection, before, now) if before else ())]
        append(connection, audit_tables, events)
    return Opened(cookie, member.person, session.id, kept)


def look(books: Books, cookie: str) -> Visit | Lapsed | None:
    """Return who holds this cookie; what ended by itself as ``Lapsed``, and None for what never was or was ended."""
    now = books.clock.now()
    with reading(books.engine).begin() as connection:
        held = staff.find_session(connection, _digest(cookie))
    if held is None or held[0].ended_at is not None or held[1].closed_at is not None:
        return None
    session, member = held
    if session.expires_at <= now or session.seen_at + IDLE <= now:
        return Lapsed(session, _form_token(cookie, member.id))
    if session.seen_at + NOTED_EVERY <= now:
        with books.engine.begin() as connection:
            staff.mark_seen(connection, session.id, at=now)
    stepped_up = session.stepped_up_at is not None and session.stepped_up_at + STEP_UP_LASTS > now
    return Visit(member.person, session.id, _form_token(cookie, member.id), session.stepped_up_at, stepped_up, session.expires_at)


def step_up(books: Books, visit: Visit, *, cookie: str, provider: str) -> Opened:
    """Note that the visitor proved anew who they are; the session goes on under another cookie. Raises ``NotAllowed`` if it has ended."""
    now, fresh = books.clock.now(), secrets.token_urlsafe(32)
    with books.engine.begin() as connection:
        held = staff.find_session(connection, _digest(cookie))
        if held is None or held[0].id != visit.session_id or held[0].ended_at is not None:
            raise NotAllowed(Issue(Code.TOKEN_MISSING))
        session = staff.renew_session(connection, held[0], cookie_hash=_digest(fresh), stepped_up_at=now)
        typed = _take(connection, session, cookie, now)
        if typed is not None:
            _keep(connection, session, typed.path, typed.fields, fresh, now)
        fields = {"organisation": session.organisation, "provider": provider}
        event = Event("staff_session:stepped_up", at=now, actor=visit.person.actor, subject=str(session.id), fields=fields)
        append(connection, audit_tables, [event])
    return Opened(fresh, visit.person, session.id, typed is not None)


def require_step_up(visit: Visit) -> None:
    """Return if the visitor proved a moment ago who they are; raises ``NotAllowed`` if not."""
    if not visit.stepped_up:
        raise NotAllowed(Issue(Code.STAFF_STEP_UP))


def keep_typed(books: Books, *, cookie: str, path: str, fields: Sequence[tuple[str, str]]) -> None:
    """Keep what the session of this cookie had typed, so that nobody without the cookie can read it; nothing for one that was ended."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        held = staff.find_session(connection, _digest(cookie))
        if held is not None and held[0].ended_at is None:
            _keep(connection, held[0], path, fields, cookie, now)


def typed_before(books: Books, visit: Visit, *, cookie: str) -> Typed | None:
    """Return what waits for the visitor to be sent, if anything does; it goes on waiting."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        held = staff.find_session(connection, _digest(cookie))
        if held is None or held[0].id != visit.session_id:
            return None
        typed = _take(connection, held[0], cookie, now)
        if typed is not None:
            _keep(connection, held[0], typed.path, typed.fields, cookie, now)
        return typed


def drop_typed(books: Books, visit: Visit) -> None:
    """Nothing waits for the visitor any more."""
    with books.engine.begin() as connection:
        staff.take_form(connection, visit.session_id, now=books.clock.now())


def sign_out(books: Books, visit: Visit) -> None:
    """End the session."""
    _end(books, visit.person.organisation, actor=visit.person.actor, of=visit.person.id, session_id=visit.session_id)


def sign_out_everywhere(books: Books, person: Person) -> int:
    """End all sessions of the person; return how many went on."""
    return _end(books, person.organisation, actor=person.actor, of=person.id)


def revoke(books: Books, *, organisation: str, actor: str, of: UUID | None = None, session_id: UUID | None = None) -> int:
    """End the sessions of an organisation, of one of its members, or one session; return how many went on."""
    return _end(books, organisation, actor=actor, of=of, session_id=session_id)


def _end(books: Books, organisation: str, *, actor: str, of: UUID | None = None, session_id: UUID | None = None) -> int:
    now = books.clock.now()
    with books.engine.begin() as connection:
        ended = Members(connection, organisation).end_sessions(at=now, of=of, session_id=session_id)
        append(connection, audit_tables, endings(ended, actor=actor, at=now))
    return len(ended)


def endings(ended: Iterable[Session], *, actor: str, at: datetime) -> list[Event]:
    """Return the events of sessions that ``actor`` has ended, their own or somebody else's."""
    events = []
    for each in ended:
        person, fields = f"staff:{each.staff_id}", {"organisation": each.organisation}
        if person == actor:
            events.append(Event("staff_session:closed", at=at, actor=actor, subject=str(each.id), fields=fields))
        else:
            events.append(Event("staff_session:revoked", at=at, actor=actor, subject=str(each.id), fields={**fields, "person": person}))
    return events


def _end_before(connection: Connection, cookie: str, now: datetime) -> list[Event]:
    held = staff.find_session(connection, _digest(cookie))
    if held is None:
        return []
    session, member = held
    ended = Members(connection, member.organisation).end_sessions(at=now, of=member.id, session_id=session.id)
    return endings(ended, actor=member.person.actor, at=now)


def _carry_over(connection: Connection, before: str, session: Session, cookie: str, now: datetime) -> bool:
    held = staff.find_session(connection, _digest(before))
    if held is None or held[0].ended_at is not None or held[0].staff_id != session.staff_id:
        return False
    typed = _take(connection, held[0], before, now)
    if typed is None:
        return False
    _keep(connection, session, typed.path, typed.fields, cookie, now)
    return True


def _take(connection: Connection, session: Session, cookie: str, now: datetime) -> Typed | None:
    sealed = staff.take_form(connection, session.id, now=now)
    try:
        return None if sealed is None else unseal(sealed, cookie=cookie, person=session.staff_id)
    except TypedUnreadable:
        return None


def _keep(connection: Connection, session: Session, path: str, fields: Sequence[tuple[str, str]], cookie: str, now: datetime) -> None:
    staff.keep_form(connection, session, seal(path, fields, cookie=cookie, person=session.staff_id), until=now + FORM_KEPT)


def is_of_an_earlier_session(token: str, visit: Visit) -> bool:
    """Tell whether a form token was given to the same person in another session: that form may be shown to them again, and no more."""
    return len(token) == len(visit.form_token) and hmac.compare_digest(token[-_WHOSE:].encode(), visit.form_token[-_WHOSE:].encode())


def _form_token(cookie: str, person: UUID) -> str:
    """Return the session's own token for its forms (synchroniser token), and after it whose it is.

    It follows from the cookie, and nobody without that can tell it.
    """
    own = hmac.new(cookie.encode("utf-8", "surrogateescape"), b"notify_gateway staff form", hashlib.sha256).hexdigest()
    return own + hashlib.sha256(person.bytes).hexdigest()[:_WHOSE]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
