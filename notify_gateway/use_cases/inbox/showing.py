# SPDX-License-Identifier: MIT
"""Making the page of one notification from all that is kept of it; a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select

from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.casework import Status, Step
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.domain.model import VoluntaryOrganisation
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.section23 import Flag
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.wording import BANNERS
from notify_gateway.store import disputes
from notify_gateway.store.case_lists import CaseLists, Shown
from notify_gateway.store.case_parts import PairRow, Parts
from notify_gateway.store.cases import CaseEvent, CaseRow, Cases
from notify_gateway.store.engine import reading
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.store.tables import ages, audit_tables, case_tables, erased_messages
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox import telling
from notify_gateway.use_cases.inbox.details import Case, ContactWarning, ParentFacts, SentBack
from notify_gateway.use_cases.inbox.relatives import relatives
from notify_gateway.use_cases.inbox.rows import People, notices_of, row_of
from notify_gateway.use_cases.inbox.settings import settings_of

COMES_OF_AGE_WITHIN: Final = timedelta(days=60)
_WORKED: Final = (Stage.ACKNOWLEDGED, Stage.CONTACTED)
_BEGUN: Final = (Stage.RECEIVED, *_WORKED)


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a case, in one transaction."""

    shown: Shown
    people: People
    school_age_on: date | None
    erased: bool
    parts: Mapping[str, Sequence[Any]]
    events: list[CaseEvent]
    pairs: list[PairRow]
    others: Mapping[UUID, Shown]
    trusts: Mapping[str, str]
    notices: tuple[Any, ...]
    restricted_contact: str
    times_sent_back: int
    disputed: bool


def show_case(gateway: Gateway, by: Person, reference: str) -> Case:
    """Return the notification as the person's authority knows it; raises ``NotAllowed``, and ``NotFound`` where it has none."""
    require(by, Act.READ_INBOX)
    now = gateway.clock.now()
    read = _read(gateway, by, reference)
    entries = _entries(gateway, [each.event_id for each in read.events if each.event_id is not None])
    case, today = read.shown.case, london_day(now)
    view = orjson.loads(read.shown.view)
    open_ = case.withdrawn_at is None and case.duplicate_of is None
    restricted = Flag.ADDRESS_RESTRICTED.value in view["flags"]
    soon = read.school_age_on is not None and read.school_age_on <= today + COMES_OF_AGE_WITHIN
    return Case(
        row=row_of(read.shown, read.people, today),
        notification_id=case.notification_id,
        delivery_id=case.delivery_id,
        message_id=case.message_id,
        opinion_formed_on=_day(view["opinion_formed_on"]),
        sent_on=date.fromisoformat(view["sent_on"]),
        service=view["sender_service"],
        event=case.event,
        flags=tuple(BANNERS[flag] for flag in view["flags"] if flag in BANNERS),
        parent=_parent(view, case),
        came_of_age_on=read.school_age_on if soon else None,
        next=Step(case.step),
        may_acknowledge=open_ and case.stage == Stage.RECEIVED,
        may_contact=open_ and case.stage in _WORKED,
        may_record_outcome=open_ and case.stage in _WORKED and case.asked_at is None,
        may_reopen=open_ and case.stage == Stage.OUTCOME,
        may_send_back=open_ and case.stage in _BEGUN and not read.disputed,
        may_ask=open_ and case.stage in _BEGUN and case.asked_at is None,
        may_close=case.withdrawn_at is not None and case.closed_at is None,
        assignments=telling.assignments(read.parts["assignments"], read.people, by, now),
        contacts=telling.contacts(read.parts["contacts"], read.people, by, now),
        failed_tries=case.failed_tries,
        asked_not_to_contact=case.asked_not_to,
        outcomes=telling.outcomes(read.parts["outcomes"], read.people),
        questions=telling.questions(read.parts["questions"], read.people),
        sent_back=_sent_back(gateway, case, read, today),
        related=telling.related(case, read.pairs, read.others, read.people, now),
        warnings=_warnings(read),
        notices=read.notices,
        history=telling.history(read.events, entries, read.people, read.trusts, case.authority),
        restricted_contact=read.restricted_contact if restricted else None,
        erased=read.erased,
    )


def _read(gateway: Gateway, by: Person, reference: str) -> _Read:
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        cases, parts = Cases(connection, by.organisation), Parts(connection, by.organisation)
        found = cases.find(reference)
        if found is None:
            raise NotFound(Issue(Code.CASE_UNKNOWN))
        lists = CaseLists(connection, by.organisation)
        others = relatives(cases, parts, found) if found.related else {}
        pairs = parts.pairs([found.id, *others])
        shown = lists.by_ids({found.id, *others, *(each for pair in pairs for each in (pair.one_id, pair.other_id))})
        belongs = {name: getattr(case_tables, name) for name in ("assignments", "contacts", "outcomes", "questions")}
        of_case = {name: parts.of_case(table, found.id) for name, table in belongs.items()}
        school_age = connection.scalar(select(ages.c.compulsory_school_age_on).where(ages.c.message_id == found.message_id))
        erased = select(erased_messages.c.message_id).where(erased_messages.c.message_id == found.message_id)
        trusts = {each.case.sender: each.trust or each.case.sender for each in shown.values()}
        disputed = disputes.is_open(connection, found.notification_id)
        rows = [each for each in lists.disputed() if each.notification_id == found.notification_id] if disputed else []
        return _Read(
            shown=shown.pop(found.id),
            people=People.of(Members(connection, by.organisation).all()),
            school_age_on=school_age,
            erased=connection.execute(erased).first() is not None,
            parts=of_case,
            events=cases.history(found.id),
            pairs=pairs,
            others=shown,
            trusts=trusts,
            notices=notices_of(lists.notices(by, case_id=found.id), rows, lists, trusts),
            restricted_contact=settings_of(connection, by.organisation).restricted_contact,
            times_sent_back=disputes.times_sent_back(connection, found.notification_id),
            disputed=disputed,
        )


def _entries(gateway: Gateway, event_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the numbers of the events' entries in the log, of those that are sequenced."""
    leaf = audit_tables.leaf.c
    with reading(gateway.engine).begin() as connection:
        rows = connection.execute(select(leaf.event_id, leaf.idx).where(leaf.event_id.in_(event_ids)))
        return {row.event_id: row.idx for row in rows}


def _parent(view: Mapping[str, Any], case: CaseRow) -> ParentFacts:
    organisations = view.get("voluntary_organisation")
    return ParentFacts(
        told_on=_day(view["parent_informed_on"]),
        discussion_offered_on=_day(view["discussion_offered_on"]),
        view=view["parent_view"],
        organisations=organisations if organisations != VoluntaryOrganisation.NOT_RECORDED else None,
        do_not_contact_before=case.contact_from,
        contact_sensitively=Flag.CONTACT_SENSITIVELY.value in view["flags"] or case.asked_not_to,
    )


def _sent_back(gateway: Gateway, case: CaseRow, read: _Read, today: date) -> SentBack | None:
    if case.sent_back_at is None or case.sent_back_reason is None:
        return None
    suggested = gateway.directory.by_gss(case.suggested, today) if case.suggested else None
    return SentBack(
        reason=case.sent_back_reason,
        label=telling.reason(case.sent_back_reason),
        suggested=case.suggested,
        suggested_name=suggested.name if suggested else None,
        at=case.sent_back_at,
        resent_at=case.resent_at,
        times=read.times_sent_back,
        disputed=read.disputed,
    )


def _warnings(read: _Read) -> tuple[ContactWarning, ...]:
    """Tell of the family's contacts about other notifications of the child; those that are taken back warn of nothing."""
    over = (Status.WITHDRAWN.value, Status.SENT_BACK.value)
    mine = telling.relatives_of(read.shown.case.id, read.pairs)
    found = [each.case for each in read.others.values() if each.case.id in mine and each.case.status not in over]
    return tuple(
        ContactWarning(each.reference, each.contacted_on, each.next_try_on, read.people.officer(each.officer))
        for each in found
        if each.contacted_on is not None or each.next_try_on is not None
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
