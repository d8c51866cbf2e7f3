# SPDX-License-Identifier: MIT
"""Who works for the authority, what each has open, who is away and who stands in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from audit.events import Event
from audit.log import append
from notify_gateway.domain.case_clock import Bucket
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person, Role
from notify_gateway.store import staff
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.store.tables import audit_tables, case_tables
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.assign import colleague
from notify_gateway.use_cases.inbox.lists import Officer

LONGEST_LEAVE = timedelta(days=731)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of the team; while they are away, what is given to them goes to the deputy, if there is one."""

    officer: Officer
    roles: frozenset[Role]
    last_at: datetime | None
    """When they last signed in."""
    open: int
    away_from: date | None
    away_to: date | None
    """The last day of leave, today or later."""
    away_now: bool
    deputy: Officer | None


def list_team(gateway: Gateway, by: Person) -> tuple[Member, ...]:
    """Return the team of the person's authority by name. Raises ``NotAllowed``."""
    require(by, Act.READ_INBOX)
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        return _team(connection, by, london_day(gateway.clock.now()))


def set_leave(gateway: Gateway, *, by: Person, member: UUID, away_from: date | None, away_to: date | None, deputy: UUID | None) -> Member:
    """The member is away from the one day to the other (None: not at all), and the deputy stands in. One's own, or a manager's to set.

    Raises ``NotAllowed``, ``NotFound`` for a person of another team, and ``Refused`` for days that are past or in the wrong order, or a
    deputy who is the member.
    """
    require(by, Act.WORK_CASE if member == by.id else Act.MANAGE_TEAM)
    now = gateway.clock.now()
    today = london_day(now)
    if (away_from is None) != (away_to is None):
        raise Refused(Issue(Code.CASE_DAY))
    if away_from is not None and away_to is not None and not max(today, away_from) <= away_to <= today + LONGEST_LEAVE:
        raise Refused(Issue(Code.CASE_DAY))
    if deputy == member:
        raise Refused(Issue(Code.CASE_CHOICE))
    with scoped(gateway.engine, by.organisation) as connection:
        members = Members(connection, by.organisation)
        found = colleague(members, member)
        if deputy is not None:
            colleague(members, deputy)
        members.save(replace(found, leave_from=away_from, leave_until=away_to, deputy=deputy))
        given = {"until": away_to.isoformat() if away_to else None, "deputy": f"staff:{deputy}" if deputy else None}
        fields: dict[str, str | int] = {name: value for name, value in given.items() if value is not None}
        fields["organisation"] = by.organisation
        append(connection, audit_tables, [Event("staff:away", at=now, actor=by.actor, subject=found.person.actor, fields=fields)])
        return next(each for each in _team(connection, by, today) if each.officer.id == member)


def _team(connection: Connection, by: Person, today: date) -> tuple[Member, ...]:
    members = [each for each in Members(connection, by.organisation).all() if each.closed_at is None]
    c = case_tables.cases.c
    open_ = (c.authority == by.organisation, c.bucket != Bucket.FINISHED.value, c.officer.is_not(None))
    counted = select(c.officer, func.count()).where(*open_).group_by(c.officer)
    has: dict[UUID | None, int] = {row[0]: row[1] for row in connection.execute(counted)}
    names = {each.id: each.name for each in members}
    return tuple(_member(each, has.get(each.id, 0), names, today) for each in members)


def _member(member: staff.Member, has: int, names: dict[UUID, str], today: date) -> Member:
    ahead = member.leave_until is not None and member.leave_until >= today
    return Member(
        officer=Officer(member.id, member.name),
        roles=member.roles,
        last_at=member.last_at,
        open=has,
        away_from=member.leave_from if ahead else None,
        away_to=member.leave_until if ahead else None,
        away_now=member.away_on(today),
        deputy=Officer(member.deputy, names[member.deputy]) if member.deputy in names else None,
    )
