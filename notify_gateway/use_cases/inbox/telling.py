# SPDX-License-Identifier: MIT
"""What belongs to a case, in words: its history, assignments, contacts, outcomes, questions and the other notifications of the child."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from notify_gateway.domain.casework import Decision, ExtendReason, How, ReopenReason, Result, Status, Step, TakeReason, Whom
from notify_gateway.domain.casework_words import word
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.feedback import OUTCOMES, QUESTIONS, SEND_BACK_REASONS, AuthorityOutcome, Question, SendBackReason
from notify_gateway.domain.staff import Person
from notify_gateway.store.case_lists import Shown
from notify_gateway.store.case_parts import PairRow
from notify_gateway.store.cases import CaseEvent, CaseRow
from notify_gateway.use_cases.inbox.assign import UNDO_WITHIN
from notify_gateway.use_cases.inbox.contact import EDIT_WITHIN
from notify_gateway.use_cases.inbox.details import AskedQuestion, Assignment, Contact, Happening, RecordedOutcome, Related
from notify_gateway.use_cases.inbox.lists import Officer, Trust
from notify_gateway.use_cases.inbox.pairs import UNDO_WITHIN as UNDO_PAIR_WITHIN
from notify_gateway.use_cases.inbox.relatives import linked
from notify_gateway.use_cases.inbox.rows import People, needs_of

_LAST_ASSIGNMENTS = 3


def reason(code: str) -> str:
    """Return what the reason for sending back is called."""
    return SEND_BACK_REASONS[SendBackReason(code)].label


def history(
    events: Iterable[CaseEvent], entries: Mapping[UUID, int], people: People, trusts: Mapping[str, str], authority: str
) -> tuple[Happening, ...]:
    """Return what happened, the latest first."""
    return tuple(
        Happening(
            what=each.what,
            at=each.at,
            who=people.name(each.actor, trusts, authority),
            version=each.version,
            details=_details(each, people),
            event_id=each.event_id,
            log_entry=entries.get(each.event_id) if each.event_id else None,
        )
        for each in events
    )


def _details(event: CaseEvent, people: People) -> dict[str, str]:
    return {name: _said(event.what, name, value, people) for name, value in event.details.items()}


def _said(what: str, name: str, value: str, people: People) -> str:
    if name in ("officer", "before", "instead_of"):
        found = people.officer(UUID(value))
        return found.name if found else value
    kinds = {"how": How, "whom": Whom, "result": Result, "step": Step, "decision": Decision}
    if name in kinds:
        return word(kinds[name], value)
    if name == "reason":
        listed = {"assigned": TakeReason, "given-up": TakeReason, "reopened": ReopenReason, "extended": ExtendReason}
        return word(listed[what], value) if what in listed else reason(value)
    if name == "code":
        return QUESTIONS[Question(value)].label if what.startswith("question") else OUTCOMES[AuthorityOutcome(value)].label
    return value


def assignments(rows: Sequence[Any], people: People, by: Person, now: datetime) -> tuple[Assignment, ...]:
    """Return the last few assignments, the latest first; the last one can be taken back for a while by whoever made it."""
    kept = [row for row in rows if row.undone_at is None][:_LAST_ASSIGNMENTS]
    return tuple(
        Assignment(
            officer=people.officer(row.officer),
            before=people.officer(row.before),
            by=people.officer(row.by),
            reason=word(TakeReason, row.reason) if row.reason else None,
            at=row.at,
            undoable_until=row.at + UNDO_WITHIN if row is rows[0] and row.by == by.id and now - row.at <= UNDO_WITHIN else None,
        )
        for row in kept
    )


def contacts(rows: Sequence[Any], people: People, by: Person, now: datetime) -> tuple[Contact, ...]:
    """Return the attempts to reach the family, the latest first, those that were corrected among them."""
    return tuple(
        Contact(
            id=row.id,
            how=word(How, row.how),
            whom=word(Whom, row.whom),
            result=word(Result, row.result),
            on=row.on_date,
            interpreter=row.interpreter,
            next_try_on=row.next_try_on,
            told_trust=row.told_trust,
            note_id=row.note_id,
            by=_sure(people.officer(row.by)),
            at=row.at,
            replaced=row.replaced_at is not None,
            editable=row.replaced_at is None and row.by == by.id and now - row.at <= EDIT_WITHIN,
        )
        for row in rows
    )


def outcomes(rows: Sequence[Any], people: People) -> tuple[RecordedOutcome, ...]:
    """Return the outcomes, the latest first; one at most still stands."""
    return tuple(
        RecordedOutcome(
            code=row.code,
            label=OUTCOMES[AuthorityOutcome(row.code)].label,
            on=row.on_date,
            review_on=row.review_on,
            by=_of_actor(row.by, people),
            at=row.at,
            reopened_at=row.reopened_at,
            reopened_because=_because(row.reopened_because),
        )
        for row in rows
    )


def questions(rows: Sequence[Any], people: People) -> tuple[AskedQuestion, ...]:
    """Return the questions to the trust, the latest first."""
    return tuple(
        AskedQuestion(
            code=row.code,
            label=QUESTIONS[Question(row.code)].label,
            by=people.officer(row.by),
            at=row.at,
            closed_at=row.closed_at,
            closed_by=row.closed_by,
        )
        for row in rows
    )


def relatives_of(case_id: UUID, pairs: Iterable[PairRow]) -> set[UUID]:
    """Return the cases to which the pairs lead from one, over what nobody has said is not the same child."""
    edges = [(pair.one_id, pair.other_id) for pair in pairs if linked(pair)]
    known, edge = {case_id}, {case_id}
    while edge:
        edge = {each for pair in edges if not edge.isdisjoint(pair) for each in pair} - known
        known |= edge
    return known - {case_id}


def related(case: CaseRow, pairs: Sequence[PairRow], others: Mapping[UUID, Shown], people: People, now: datetime) -> tuple[Related, ...]:
    """Return the other notifications of the child, the earliest first: those that are paired with this one, then theirs."""
    found: dict[UUID, PairRow] = {}
    for pair in sorted(pairs, key=lambda each: case.id not in (each.one_id, each.other_id)):
        for each in (pair.one_id, pair.other_id):
            if each != case.id and each in others:
                found.setdefault(each, pair)
    seen = [_related(others[each], pair, others, case, people, now) for each, pair in found.items()]
    return tuple(sorted(seen, key=lambda each: each.received_at))


def _related(shown: Shown, pair: PairRow, others: Mapping[UUID, Shown], case: CaseRow, people: People, now: datetime) -> Related:
    other, view = shown.case, orjson.loads(shown.view)
    names = {case.id: case.reference} | {each: one.case.reference for each, one in others.items()}
    until = pair.decided_at + UNDO_PAIR_WITHIN if pair.decided_at is not None and now - pair.decided_at <= UNDO_PAIR_WITHIN else None
    return Related(
        pair=pair.id,
        reference=other.reference,
        trust=Trust(other.sender, shown.trust or other.sender),
        service=view["sender_service"],
        needs=needs_of(view, london_day(now)),
        received_at=other.arrived_at,
        status=Status(other.status),
        officer=people.officer(other.officer),
        how=pair.how,
        decision=Decision(pair.decision),
        kept=names.get(pair.kept) if pair.kept else None,
        decided_by=people.officer(pair.decided_by),
        decided_at=pair.decided_at,
        undoable_until=until,
        contacted_on=other.contacted_on,
        contact_planned_on=other.next_try_on,
    )


def _because(code: str | None) -> str | None:
    said = {"update": "The trust sent an update", "replaced": "Another outcome took its place"}
    return None if code is None else said.get(code) or word(ReopenReason, code)


def _of_actor(actor: str, people: People) -> Officer | None:
    kind, _, rest = actor.partition(":")
    return people.officer(UUID(rest)) if kind == "staff" and rest else None


def _sure(officer: Officer | None) -> Officer:
    if officer is None:
        raise ValueError("a contact was made by somebody")
    return officer
