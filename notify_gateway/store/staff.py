# SPDX-License-Identifier: MIT
"""Members of staff of one organisation, and who is signed in. The scope stands in the constructor of ``Members``.

Three things come before it is known for which organisation somebody acts, and so stand beside it: whose cookie it is, which sign-in a
browser has under way, and what operators list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update

from notify_gateway.domain.staff import Person, Role
from notify_gateway.store.tables import kept_forms, staff, staff_sessions, staff_sign_ins

BY_PROVIDER, BY_REGISTER = "provider", "register"
"""Where a member's roles come from: what the identity provider says at each sign-in, or what an operator has entered."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of an organisation; ``subject_hash`` is the SHA-256 of issuer and subject at the identity provider."""

    id: UUID
    organisation: str
    subject_hash: bytes
    provider: str
    name: str
    roles: frozenset[Role]
    roles_from: str
    added_at: datetime
    last_at: datetime | None = None
    leave_until: date | None = None
    deputy: UUID | None = None
    closed_at: datetime | None = None
    leave_from: date | None = None

    @property
    def person(self) -> Person:
        """Return them as whoever is signed in."""
        return Person(self.id, self.organisation, self.roles, self.name)

    def away_on(self, day: date) -> bool:
        """Tell whether they are on leave that day."""
        return self.leave_until is not None and (self.leave_from or day) <= day <= self.leave_until

    def __repr__(self) -> str:
        return f"Member(id={self.id}, organisation={self.organisation})"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in; ``cookie_hash`` is the SHA-256 of what it holds."""

    id: UUID
    staff_id: UUID
    organisation: str
    cookie_hash: bytes
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    stepped_up_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that a browser has under way at a provider; ``session_id`` is that of whoever only proves anew who they are."""

    state_hash: bytes
    browser_hash: bytes
    provider: str
    nonce: str
    verifier: str
    goes_to: str
    session_id: UUID | None
    begun_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return "SignIn(<withheld>)"


class Members:
    """The members of staff of one organisation."""

    def __init__(self, connection: Connection, organisation: str) -> None:
        self._connection = connection
        self._organisation = organisation
        self._ours = staff.c.organisation == organisation

    def all(self) -> list[Member]:
        """Return everybody, those whose access is closed too, by name."""
        rows = self._connection.execute(select(staff).where(self._ours).order_by(staff.c.name, staff.c.id))
        return [_member(row) for row in rows.mappings()]

    def find(self, member_id: UUID, *, lock: bool = False) -> Member | None:
        """Return the member of that id; None where the organisation has none."""
        statement = select(staff).where(self._ours, staff.c.id == member_id)
        row = self._connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
        return None if row is None else _member(row)

    def by_subject(self, subject_hash: bytes) -> Member | None:
        """Return the member who is that subject at their identity provider."""
        found = select(staff).where(self._ours, staff.c.subject_hash == subject_hash)
        row = self._connection.execute(found).mappings().one_or_none()
        return None if row is None else _member(row)

    def names(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Return the names of those of ``ids`` who are the organisation's."""
        rows = self._connection.execute(select(staff.c.id, staff.c.name).where(self._ours, staff.c.id.in_(ids)))
        return {row[0]: row[1] for row in rows}

    def add(self, member: Member) -> None:
        """Insert a member."""
        if member.organisation != self._organisation:
            raise ValueError("the member is another organisation's")
        self._connection.execute(insert(staff), [_values(member)])

    def save(self, member: Member) -> None:
        """Put what is known of a member in the place of what was known."""
        self._connection.execute(update(staff).where(self._ours, staff.c.id == member.id).values(_values(member)))

    def sessions(self, *, now: datetime, of: UUID | None = None) -> list[Session]:
        """Return the sessions that go on, of everybody or of one member, newest first."""
        s = staff_sessions.c
        going_on = (s.organisation == self._organisation, s.ended_at.is_(None), s.expires_at > now)
        statement = select(staff_sessions).where(*going_on, *(() if of is None else (s.staff_id == of,))).order_by(s.created_at.desc())
        return [Session(**row._mapping) for row in self._connection.execute(statement)]

    def end_sessions(self, *, at: datetime, of: UUID | None = None, session_id: UUID | None = None) -> list[Session]:
        """Mark sessions ended: everybody's, one member's, or one; return those that went on until now."""
        ending = [each for each in self.sessions(now=at, of=of) if session_id in (None, each.id)]
        if ending:
            ids = [each.id for each in ending]
            self._connection.execute(delete(kept_forms).where(kept_forms.c.session_id.in_(ids)))
            self._connection.execute(update(staff_sessions).where(staff_sessions.c.id.in_(ids)).values(ended_at=at))
        return ending


def add_session(connection: Connection, session: Session) -> None:
    """Insert a session."""
    connection.execute(insert(staff_sessions), [asdict(session)])


def find_session(connection: Connection, cookie_hash: bytes) -> tuple[Session, Member] | None:
    """Return the session with this SHA-256, whatever its standing, and whose it is."""
    both = select(*staff_sessions.c, *staff.c).join(staff, staff.c.id == staff_sessions.c.staff_id)
    found = connection.execute(both.where(staff_sessions.c.cookie_hash == cookie_hash)).one_or_none()
    if found is None:
        return None
    session, member = found[: len(staff_sessions.c)], found[len(staff_sessions.c) :]
    return Session(*session), _member(dict(zip(staff.c.keys(), member, strict=True)))


def mark_seen(connection: Connection, session_id: UUID, *, at: datetime) -> None:
    """Note that something was heard of the session."""
    connection.execute(update(staff_sessions).where(staff_sessions.c.id == session_id).values(seen_at=at))


def renew_session(connection: Connection, session: Session, *, cookie_hash: bytes, stepped_up_at: datetime) -> Session:
    """Give the session another cookie, and note when its owner proved anew who they are; return it as it is now."""
    now = replace(session, cookie_hash=cookie_hash, stepped_up_at=stepped_up_at, seen_at=stepped_up_at)
    values = {"cookie_hash": cookie_hash, "stepped_up_at": stepped_up_at, "seen_at": stepped_up_at}
    connection.execute(update(staff_sessions).where(staff_sessions.c.id == session.id).values(values))
    return now


def list_members(connection: Connection) -> list[Member]:
    """Return the members of all organisations, for operators: by organisation, then by name."""
    rows = connection.execute(select(staff).order_by(staff.c.organisation, staff.c.name, staff.c.id))
    return [_member(row) for row in rows.mappings()]


def organisation_of(connection: Connection, member_id: UUID) -> str | None:
    """Return whose member that is, for operators; None where nobody has that id."""
    found: str | None = connection.scalar(select(staff.c.organisation).where(staff.c.id == member_id))
    return found


def add_sign_in(connection: Connection, sign_in: SignIn) -> None:
    """Insert a sign-in that begins."""
    connection.execute(insert(staff_sign_ins), [asdict(sign_in)])


def count_sign_ins(connection: Connection) -> int:
    """Return how many sign-ins are under way."""
    return connection.execute(select(func.count()).select_from(staff_sign_ins)).scalar_one()


def take_sign_in(connection: Connection, state_hash: bytes) -> SignIn | None:
    """Return the sign-in with that state and delete it: the first who asks is the only one who gets it."""
    row = connection.execute(
        delete(staff_sign_ins).where(staff_sign_ins.c.state_hash == state_hash).returning(staff_sign_ins)
    ).one_or_none()
    return None if row is None else SignIn(**row._mapping)


def keep_form(connection: Connection, session: Session, sealed: bytes, *, until: datetime) -> None:
    """Keep the sealed form of a session, in the place of an earlier one."""
    connection.execute(delete(kept_forms).where(kept_forms.c.session_id == session.id))
    values = {"session_id": session.id, "organisation": session.organisation, "sealed": sealed, "expires_at": until}
    connection.execute(insert(kept_forms), [values])


def take_form(connection: Connection, session_id: UUID, *, now: datetime) -> bytes | None:
    """Return the sealed form of a session and delete it."""
    k = kept_forms.c
    row = connection.execute(delete(kept_forms).where(k.session_id == session_id).returning(k.sealed, k.expires_at)).one_or_none()
    return row.sealed if row is not None and row.expires_at > now else None


def forget(connection: Connection, *, now: datetime, sessions_before: datetime) -> None:
    """Delete what has expired: forms and sign-ins, and the sessions that had to end before ``sessions_before``."""
    old = select(staff_sessions.c.id).where(staff_sessions.c.expires_at < sessions_before)
    connection.execute(delete(kept_forms).where((kept_forms.c.expires_at < now) | kept_forms.c.session_id.in_(old)))
    connection.execute(delete(staff_sign_ins).where(staff_sign_ins.c.expires_at < now))
    connection.execute(delete(staff_sessions).where(staff_sessions.c.expires_at < sessions_before))


def _values(member: Member) -> dict[str, object]:
    return {**asdict(member), "roles": " ".join(sorted(member.roles))}


def _member(values: Mapping[Any, Any]) -> Member:
    return Member(**{**values, "roles": frozenset(Role(each) for each in values["roles"].split())})
