# SPDX-License-Identifier: MIT
"""Trying to reach the family. The trust hears of it only where the officer ticks that, and then the day alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.casework import How, Result, Whom
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.staff import Person
from notify_gateway.store.collection import AuthorityDeliveries
from notify_gateway.store.tables import case_tables, notifications, sealed_notes
from notify_gateway.use_cases.devices.notes import ReadyNote, keep
from notify_gateway.use_cases.feedback import Taken, take_step
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.relatives import contacts_elsewhere
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out

EDIT_WITHIN = timedelta(hours=24)
MOST_AHEAD = timedelta(days=365)
FAILED = frozenset({Result.NO_ANSWER.value, Result.WRONG_NUMBER.value, Result.LEFT_MESSAGE.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt as the officer describes it: ``How``, ``Whom`` and ``Result`` of ``domain.casework``; ``note_id`` of a sealed note."""

    how: str
    whom: str
    result: str
    on: date
    interpreter: bool = False
    next_try_on: date | None = None
    tell_trust: bool = False
    note_id: UUID | None = None
    related_seen: bool = False
    """The officer has read that the family was, or will be, contacted about another notification of the same child."""


def record_contact(
    gateway: Gateway, *, by: Person, reference: str, version: int, attempt: Attempt, form: UUID | None = None, note: ReadyNote | None = None
) -> Done:
    """The attempt stands in the case, with its note; the first in which somebody was spoken to makes it *family contacted*.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for a code, a day or a note that cannot be, and ``Conflict``: ``CASE_CHANGED``,
    ``CASE_STATE`` before it is acknowledged, ``CONTACT_RELATED`` without ``related_seen`` where another notification of the same child
    has a contact, made or planned, ``CONTACT_TOO_EARLY`` before the day the trust named.
    """

    def steps(work: Work) -> None:
        noted = _noted(work, attempt, note)
        _check(work, noted)
        _add(work, noted)
        _sum_up(work)
        told = _tell_trust(work, noted)
        event_id = work.log("case:contact", **_fields(noted))
        said = {"how": attempt.how, "whom": attempt.whom, "result": attempt.result, "on": attempt.on}
        work.tell("contact", event_id, **said, told="trust" if told else None)

    return carry_out(gateway, by, Sent(reference, version, form), steps)


def correct_contact(
    gateway: Gateway,
    *,
    by: Person,
    reference: str,
    version: int,
    contact: UUID,
    attempt: Attempt,
    form: UUID | None = None,
    note: ReadyNote | None = None,
) -> Done:
    """The attempt is as now described, and the old one is kept, struck through. Its own author may, for 24 hours.

    What the trust was told stays told. Raises as ``record_contact``, and ``Conflict`` (``UNDO_TOO_LATE``).
    """

    def steps(work: Work) -> None:
        rows = work.parts.of_case(case_tables.contacts, work.case.id)
        old = next((row for row in rows if row.id == contact), None)
        if old is None:
            raise NotFound(Issue(Code.CASE_UNKNOWN))
        if old.replaced_at is not None or old.by != by.id or work.now - old.at > EDIT_WITHIN:
            raise Conflict(Issue(Code.UNDO_TOO_LATE))
        noted = _noted(work, attempt, note)
        _check(work, noted)
        work.parts.change(case_tables.contacts, old.id, replaced_at=work.now)
        _add(work, noted, replaces=old.id, told_trust=old.told_trust)
        _sum_up(work)
        _tell_trust(work, noted)
        event_id = work.log("case:contact_corrected", **_fields(noted))
        work.tell("contact-corrected", event_id, how=attempt.how, whom=attempt.whom, result=attempt.result, on=attempt.on)

    return carry_out(gateway, by, Sent(reference, version, form), steps)


def _noted(work: Work, attempt: Attempt, note: ReadyNote | None) -> Attempt:
    """Return the attempt with its note, which is kept in the same transaction: a form that is sent twice keeps no second one."""
    return attempt if note is None else replace(attempt, note_id=keep(work.connection, note))


def _check(work: Work, attempt: Attempt) -> None:
    codes: tuple[tuple[str, type[StrEnum]], ...] = ((attempt.how, How), (attempt.whom, Whom), (attempt.result, Result))
    if any(code not in set(known) for code, known in codes):
        raise Refused(Issue(Code.CASE_CHOICE))
    work.require(when=work.case.stage in (Stage.ACKNOWLEDGED, Stage.CONTACTED) and work.case.duplicate_of is None)
    notified = work.connection.execute(
        select(notifications.c.created_at).where(notifications.c.id == work.case.notification_id)
    ).scalar_one()
    next_try = attempt.next_try_on
    if not london_day(notified) <= attempt.on <= work.today:
        raise Refused(Issue(Code.CASE_DAY))
    if next_try is not None and not work.today <= next_try <= work.today + MOST_AHEAD:
        raise Refused(Issue(Code.CASE_DAY))
    if work.case.contact_from is not None and any(day < work.case.contact_from for day in (attempt.on, next_try) if day is not None):
        raise Conflict(Issue(Code.CONTACT_TOO_EARLY))
    _check_note(work, attempt.note_id)
    if not attempt.related_seen and contacts_elsewhere(work.cases, work.parts, work.case):
        raise Conflict(Issue(Code.CONTACT_RELATED))


def _check_note(work: Work, note_id: UUID | None) -> None:
    """A note is one of this notification, sealed before."""
    if note_id is None:
        return
    s = sealed_notes.c
    mine = (s.id == note_id, s.authority == work.by.organisation, s.notification_id == work.case.notification_id)
    if work.connection.execute(select(s.id).where(*mine)).first() is None:
        raise Refused(Issue(Code.CASE_CHOICE))


def _add(work: Work, attempt: Attempt, *, replaces: UUID | None = None, told_trust: bool = False) -> None:
    names = ("how", "whom", "result", "interpreter", "next_try_on", "note_id")
    values = {name: getattr(attempt, name) for name in names} | {"on_date": attempt.on, "told_trust": told_trust or _tells(attempt)}
    work.parts.add(case_tables.contacts, case_id=work.case.id, by=work.by.id, at=work.now, replaces=replaces, **values)


def _sum_up(work: Work) -> None:
    """Give the case what its attempts come to, those that were corrected left out."""
    rows = [row for row in work.parts.of_case(case_tables.contacts, work.case.id) if row.replaced_at is None]
    spoken = [row.on_date for row in rows if row.result == Result.SPOKE]
    asked_not_to = any(row.result == Result.ASKED_NOT_TO for row in rows)
    first = min(spoken, default=None)
    work.change(
        contacted_on=first,
        stage=(Stage.CONTACTED if first is not None else Stage.ACKNOWLEDGED).value,
        next_try_on=rows[0].next_try_on if rows else None,
        failed_tries=_failed_lately(rows),
        asked_not_to=asked_not_to,
        sensitive=work.case.sensitive or asked_not_to,
    )


def _failed_lately(rows: Iterable[Row[Any]]) -> int:
    """Count the tries that failed since somebody was last reached; the rows come the latest first."""
    count = 0
    for row in rows:
        if row.result not in FAILED:
            break
        count += 1
    return count


def _tells(attempt: Attempt) -> bool:
    return attempt.tell_trust and attempt.result == Result.SPOKE


def _tell_trust(work: Work, attempt: Attempt) -> bool:
    """Tell the trust the day, if that is wished and it was not told of a contact before."""
    row = AuthorityDeliveries(work.connection, work.by.organisation).find(work.case.delivery_id)
    if row is None or row.state != State.ACKNOWLEDGED or not _tells(attempt):
        return False
    taken = Taken(work.by.organisation, work.case.delivery_id, work.by.actor, State.CONTACTED, on=attempt.on)
    work.told_trust = take_step(work.connection, taken, now=work.now) is not None
    return work.told_trust


def _fields(attempt: Attempt) -> dict[str, str | None]:
    note = str(attempt.note_id) if attempt.note_id else None
    return {"how": attempt.how, "whom": attempt.whom, "result": attempt.result, "on": attempt.on.isoformat(), "note": note}
