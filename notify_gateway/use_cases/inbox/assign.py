# SPDX-License-Identifier: MIT
"""Whose a case is: taken by oneself, given by a manager, undone within ten minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from notify_gateway.domain.casework import TakeReason
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person, Role
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Member, Members
from notify_gateway.store.tables import case_tables
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out, carry_out_in

UNDO_WITHIN = timedelta(minutes=10)
MOST_AT_ONCE = 100
_WORKERS = frozenset({Role.OFFICER, Role.MANAGER})


def assign(
    gateway: Gateway,
    *,
    by: Person,
    reference: str,
    version: int,
    officer: UUID | None,
    reason: str | None = None,
    form: UUID | None = None,
) -> Done:
    """The case is ``officer``'s, or nobody's; while they are away it is their deputy's.

    Anybody may take a case that nobody has, or give up their own; the rest is a manager's, and to take it from somebody needs a reason
    (``TakeReason``). Raises ``NotAllowed``, ``NotFound`` (case, or no such colleague), ``Refused`` without a reason, and ``Conflict``.
    """
    why = _reason(reason)
    return carry_out(gateway, by, Sent(reference, version, form), lambda work: _assign(work, officer, why))


def assign_all(gateway: Gateway, *, by: Person, cases: Mapping[str, int], officer: UUID, reason: str | None = None) -> tuple[Done, ...]:
    """All of the cases, by reference and version, are ``officer``'s, or none is. For managers. Raises as ``assign``."""
    require(by, Act.ASSIGN_OTHERS)
    why = _reason(reason)
    if not 0 < len(cases) <= MOST_AT_ONCE:
        raise Refused(Issue(Code.CASE_CHOICE))
    with scoped(gateway.engine, by.organisation) as connection:
        # In one order for everybody, so that two managers at once do not wait for each other.
        return tuple(
            carry_out_in(connection, gateway, by, Sent(reference, cases[reference], None), lambda work: _assign(work, officer, why))
            for reference in sorted(cases)
        )


def undo(gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None) -> Done:
    """The case is again whose it was before the last assignment, by the one who made that, within ten minutes.

    Raises ``NotAllowed``, ``NotFound``, and ``Conflict`` when it is too late (``UNDO_TOO_LATE``) or the case was changed meanwhile.
    """

    def steps(work: Work) -> None:
        rows = work.parts.of_case(case_tables.assignments, work.case.id)
        last = rows[0] if rows else None
        if last is None or last.undone_at is not None or last.by != by.id or work.now - last.at > UNDO_WITHIN:
            raise Conflict(Issue(Code.UNDO_TOO_LATE))
        work.parts.change(case_tables.assignments, last.id, undone_at=work.now)
        work.change(officer=last.before)
        event_id = work.log("case:unassigned", officer=_text(last.before), before=_text(last.officer))
        work.tell("assignment-undone", event_id, officer=last.before, before=last.officer)

    return carry_out(gateway, by, Sent(reference, version, form), steps)


def give(work: Work, officer: UUID | None, reason: TakeReason | None = None) -> None:
    """The case is the colleague's, or their deputy's while they are away; raises ``NotFound`` where there is no such colleague."""
    whose = None if officer is None else _standing_in(work, officer)
    before = work.present.officer
    code = reason.value if reason else None
    values = {"officer": whose, "before": before, "by": work.by.id, "reason": code, "at": work.now}
    work.parts.add(case_tables.assignments, case_id=work.case.id, **values)
    work.change(officer=whose)
    event_id = work.log("case:assigned", officer=_text(whose), before=_text(before), reason=code)
    instead = officer if whose != officer else None
    work.tell("assigned" if whose else "given-up", event_id, officer=whose, before=before, reason=code, instead_of=instead)


def colleague(members: Members, person: UUID) -> Member:
    """Return the officer or manager of the authority who is that; raises ``NotFound`` where there is none, or their access is closed."""
    found = members.find(person)
    if found is None or found.closed_at is not None or _WORKERS.isdisjoint(found.roles):
        raise NotFound(Issue(Code.COLLEAGUE_UNKNOWN))
    return found


def _assign(work: Work, officer: UUID | None, reason: TakeReason | None) -> None:
    held = work.case.officer
    if officer == held:
        return
    work.require(when=work.case.closed_at is None)
    own = held in (None, work.by.id) and officer in (None, work.by.id)
    if not own:
        require(work.by, Act.ASSIGN_OTHERS)
    if held not in (None, work.by.id) and reason is None:
        raise Refused(Issue(Code.CASE_CHOICE))
    give(work, officer, reason)


def _standing_in(work: Work, person: UUID) -> UUID:
    members = Members(work.connection, work.by.organisation)
    found = colleague(members, person)
    # Whoever takes a case themselves is there, whatever was noted.
    if found.deputy is None or person == work.by.id or not found.away_on(work.today):
        return found.id
    return colleague(members, found.deputy).id


def _reason(reason: str | None) -> TakeReason | None:
    if reason is None:
        return None
    if reason not in set(TakeReason):
        raise Refused(Issue(Code.CASE_CHOICE))
    return TakeReason(reason)


def _text(person: UUID | None) -> str | None:
    return None if person is None else f"staff:{person}"
