# SPDX-License-Identifier: MIT
"""Members of staff as operators and managers keep them: entered, given roles, away, closed. Each change is in the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.credentials.claims import UNNAMED, subject_hash
from notify_gateway.credentials.providers import Provider
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.domain.staff import Role
from notify_gateway.store import staff
from notify_gateway.store.engine import reading
from notify_gateway.store.staff import BY_REGISTER, Member, Members, Session
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.client_keys import Books
from notify_gateway.use_cases.staff_sessions import endings


def add_member(
    books: Books,
    *,
    provider: Provider,
    organisation: str,
    subject: str,
    roles: Iterable[Role],
    actor: str,
    tenant: str | None = None,
    name: str = UNNAMED,
) -> Member:
    """Enter somebody by their id at the provider, with roles that stay until they are changed here.

    Whoever is there already gets these roles.
    """
    now, known = books.clock.now(), subject_hash(provider.issuer_for(tenant or next(iter(provider.tenants), None)), subject)
    member = Member(uuid4(), organisation, known, provider.id, name, frozenset(roles), BY_REGISTER, now)
    with books.engine.begin() as connection:
        members = Members(connection, organisation)
        held = members.by_subject(known)
        if held is not None:
            member = replace(held, roles=member.roles, roles_from=BY_REGISTER)
        (members.add if held is None else members.save)(member)
        fields = {"organisation": organisation, "provider": provider.id, "roles": _term(member.roles)}
        append(connection, audit_tables, [Event("staff:added", at=now, actor=actor, subject=member.person.actor, fields=fields)])
    return member


def change_roles(books: Books, *, member_id: UUID, roles: Iterable[Role], actor: str) -> Member:
    """Give a member these roles and no others, whatever the provider says from now on; raises ``NotFound``."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        members, held = _find(connection, member_id)
        member = replace(held, roles=frozenset(roles), roles_from=BY_REGISTER)
        members.save(member)
        fields = {"organisation": held.organisation, "before": _term(held.roles), "after": _term(member.roles)}
        append(connection, audit_tables, [Event("staff:roles_changed", at=now, actor=actor, subject=held.person.actor, fields=fields)])
    return member


def close_member(books: Books, *, member_id: UUID, actor: str, organisation: str | None = None) -> int:
    """Close somebody's access for good and end their sessions; return how many went on.

    Raises ``NotFound``, also for a member of another organisation than ``organisation``.
    """
    now = books.clock.now()
    with books.engine.begin() as connection:
        members, held = _find(connection, member_id, organisation)
        if held.closed_at is None:
            members.save(replace(held, closed_at=now))
        ended = members.end_sessions(at=now, of=member_id)
        fields = {"organisation": held.organisation}
        closed = Event("staff:closed", at=now, actor=actor, subject=held.person.actor, fields=fields)
        append(connection, audit_tables, [*([closed] if held.closed_at is None else []), *endings(ended, actor=actor, at=now)])
    return len(ended)


def reopen_member(books: Books, *, member_id: UUID, actor: str) -> Member:
    """Open somebody's access again; they sign in as before. Raises ``NotFound``."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        members, held = _find(connection, member_id)
        member = replace(held, closed_at=None)
        if held.closed_at is not None:
            members.save(member)
            fields = {"organisation": held.organisation}
            append(connection, audit_tables, [Event("staff:reopened", at=now, actor=actor, subject=held.person.actor, fields=fields)])
    return member


def set_leave(books: Books, *, member_id: UUID, organisation: str, until: date | None, deputy: UUID | None, actor: str) -> Member:
    """Note until when a member is away, and who stands in; raises ``NotFound`` unless both are of the organisation and not closed."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        members, held = _find(connection, member_id, organisation)
        standing_in = members.find(deputy) if deputy is not None else None
        if deputy is not None and (standing_in is None or standing_in.closed_at is not None or deputy == member_id):
            raise NotFound(Issue(Code.STAFF_UNKNOWN))
        member = replace(held, leave_until=until, deputy=deputy)
        members.save(member)
        fields = {"organisation": organisation}
        if until is not None:
            fields["until"] = until.isoformat()
        if deputy is not None:
            fields["deputy"] = f"staff:{deputy}"
        append(connection, audit_tables, [Event("staff:away", at=now, actor=actor, subject=held.person.actor, fields=fields)])
    return member


def list_members(books: Books, *, organisation: str | None = None) -> list[Member]:
    """Return the members of all organisations, or of one."""
    with reading(books.engine).begin() as connection:
        return staff.list_members(connection) if organisation is None else Members(connection, organisation).all()


def list_sessions(books: Books) -> list[tuple[Session, Member]]:
    """Return the sessions of all organisations that go on, each with its owner."""
    now = books.clock.now()
    with reading(books.engine).begin() as connection:
        held = {each.id: each for each in staff.list_members(connection)}
        organisations = sorted({each.organisation for each in held.values()})
        going_on = [session for each in organisations for session in Members(connection, each).sessions(now=now)]
    return [(session, held[session.staff_id]) for session in going_on]


def _find(connection: Connection, member_id: UUID, organisation: str | None = None) -> tuple[Members, Member]:
    whose = organisation or staff.organisation_of(connection, member_id)
    members = Members(connection, whose or "")
    held = members.find(member_id, lock=True)
    if held is None:
        raise NotFound(Issue(Code.STAFF_UNKNOWN))
    return members, held


def _term(roles: Iterable[Role]) -> str:
    return ",".join(sorted(roles)) or "none"
