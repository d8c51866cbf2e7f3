# SPDX-License-Identifier: MIT
"""What officers do with a notification: from its arrival to its outcome, on both databases, and what the trust hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from mappings.holidays import Calendar
from notify_gateway.domain.casework import NoticeKind, Part, Status, Step, Tab
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotifyError
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.staff import Person, Role
from notify_gateway.fhir.task import TaskFacts, task_resource
from notify_gateway.store.tracking import Tracked
from notify_gateway.use_cases import track
from notify_gateway.use_cases.inbox import (
    acknowledge,
    ask,
    assign,
    close,
    contact,
    extend,
    notices,
    outcome,
    pairs,
    read,
    send_back,
    settings,
    team,
)
from notify_gateway.use_cases.inbox.contact import Attempt
from notify_gateway.use_cases.inbox.read import Filters, Officer
from notify_gateway.use_cases.inbox.settings import InboxSettings
from notify_gateway.use_cases.invariants.cases import CasesTally
from notify_gateway.use_cases.invariants.finding import Level
from tests.support.messages import Message, a_message
from tests.support.templates import Templates
from tests.use_cases.casework import Office, an_office
from tests.use_cases.conftest import MIDDLESBROUGH, House, furnished

TODAY = date(2026, 11, 20)
SPOKE = Attempt(how="phone", whom="parent", result="spoke", on=TODAY)


@pytest.fixture
def office(house: House) -> Iterator[Office]:
    """An office in which, whatever is done, each case tallies with its delivery."""
    yield an_office(house)
    assert CasesTally().check(house.gateway, whole=True).level is Level.OK


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Office]:
    """One office on SQLite for all that changes nothing in it."""
    for house in furnished(tmp_path_factory.mktemp("office"), templates, None):
        yield an_office(house)


def task(office: Office, reference: str) -> Tracked:
    """Return what the trust sees."""
    case = office.case(reference)
    return track.where_it_stands(office.house.gateway, client=office.house.trust, notification_id=case.notification_id)


def acknowledged(office: Office, message: Message | None = None) -> str:
    reference = office.arrives(message or a_message())
    acknowledge.acknowledge(office.house.gateway, by=office.ann, reference=reference, version=office.version(reference))
    return reference


def test_a_notification_is_worked_from_arrival_to_outcome_and_the_trust_follows(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    reference = office.arrives(a_message())
    page = read.list_cases(gateway, ann, Filters())
    (row,) = page.rows
    assert (row.reference, row.status, row.trust.name, row.officer) == (reference, Status.RECEIVED, "Example Community NHS Trust", None)
    assert row.reply_by is not None
    assert (row.reply_by.step, row.reply_by.on, row.reply_by.working_days, row.reply_by.late) == (
        Step.ACKNOWLEDGE,
        date(2026, 11, 24),
        2,
        False,
    )
    assert "year" in str(row.age)
    assert (str(page.new), str(page.late), str(page.mine), page.total.number) == ("1", "0", "0", 1)
    assert task(office, reference).state == "received"

    form = uuid4()
    done = acknowledge.acknowledge(gateway, by=ann, reference=reference, version=row.version, form=form)
    again = acknowledge.acknowledge(gateway, by=ann, reference=reference, version=row.version, form=form)
    assert (done.status, done.next, done.told_trust, done.repeated) == (Status.ACKNOWLEDGED, Step.CONTACT, True, False)
    assert (again.version, again.event_id, again.repeated) == (done.version, done.event_id, True), "a form counts once"
    assert task(office, reference).state == "acknowledged"

    tried = contact.record_contact(
        gateway,
        by=ann,
        reference=reference,
        version=done.version,
        attempt=Attempt(how="phone", whom="parent", result="no-answer", on=TODAY, next_try_on=TODAY + timedelta(days=3)),
    )
    assert (tried.status, office.case(reference).failed_tries) == (Status.ACKNOWLEDGED, 1)
    spoke = contact.record_contact(gateway, by=ann, reference=reference, version=tried.version, attempt=SPOKE)
    assert (spoke.status, spoke.next, spoke.told_trust) == (Status.CONTACTED, Step.OUTCOME, False)
    assert task(office, reference).state == "acknowledged", "the trust is told of a contact only where that is ticked"

    ended = outcome.record_outcome(gateway, by=ann, reference=reference, version=spoke.version, outcome="portage", on=TODAY)
    assert (ended.status, ended.next, ended.told_trust) == (Status.OUTCOME, Step.NOTHING, True)
    told = task(office, reference)
    assert (told.state, told.present[-1].code, told.present[-1].on) == ("outcome", "portage", TODAY)
    assert read.list_cases(gateway, ann, Filters()).rows == ()
    assert [each.reference for each in read.list_cases(gateway, ann, Filters(tab=Tab.FINISHED)).rows] == [reference]

    history = office.case(reference).history
    assert [each.what for each in history] == ["outcome", "contact", "contact", "acknowledged", "assigned", "received"]
    assert {each.who for each in history} == {"Ann Archer", "Example Community NHS Trust"}
    assert [each.version for each in history] == sorted((each.version for each in history), reverse=True)


def failed(act: Callable[[], object]) -> str:
    """Return the code with which the act fails."""
    with pytest.raises(NotifyError) as caught:
        act()
    return caught.value.issues[0].code


def test_a_contact_reaches_the_trust_where_that_is_ticked_and_is_corrected_for_a_day(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    reference = acknowledged(office)
    ticked = replace(SPOKE, tell_trust=True)
    done = contact.record_contact(gateway, by=ann, reference=reference, version=office.version(reference), attempt=ticked)
    assert (done.told_trust, task(office, reference).state) == (True, "contacted")
    (made,) = office.case(reference).contacts
    assert (made.result, made.by.name, made.told_trust, made.editable) == ("Spoke", "Ann Archer", True, True)
    wrong = replace(SPOKE, result="asked-not-to")
    again: dict[str, Any] = {"reference": reference, "version": done.version, "contact": made.id, "attempt": wrong}
    assert failed(lambda: contact.correct_contact(gateway, by=office.bob, **again)) == Code.UNDO_TOO_LATE, "its author alone"
    office.house.clock.move(timedelta(hours=23))
    mended = contact.correct_contact(gateway, by=ann, **again)
    case = office.case(reference)
    assert [(each.result, each.replaced) for each in case.contacts] == [("Asked not to be contacted", False), ("Spoke", True)]
    assert (case.asked_not_to_contact, case.parent.contact_sensitively, case.row.sensitive) == (True, True, True)
    office.house.clock.move(timedelta(hours=25))
    late: dict[str, Any] = again | {
        "contact": case.contacts[0].id,
        "version": mended.version,
        "attempt": replace(SPOKE, on=date(2026, 11, 21)),
    }
    assert failed(lambda: contact.correct_contact(gateway, by=ann, **late)) == Code.UNDO_TOO_LATE


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"how": "pigeon"}, Code.CASE_CHOICE),
        ({"on": date(2026, 11, 21)}, Code.CASE_DAY),
        ({"on": date(2026, 11, 19)}, Code.CASE_DAY),
        ({"next_try_on": date(2026, 11, 19)}, Code.CASE_DAY),
        ({"note_id": UUID(int=9)}, Code.CASE_CHOICE),
    ],
    ids=["how", "tomorrow", "before", "past", "note"],
)
def test_a_contact_that_cannot_be_is_refused(lent: Office, wrong: dict[str, Any], code: Code) -> None:
    reference = acknowledged(lent)
    version = lent.version(reference)
    attempt = replace(SPOKE, **wrong)
    gateway = lent.house.gateway
    assert failed(lambda: contact.record_contact(gateway, by=lent.ann, reference=reference, version=version, attempt=attempt)) == code


def test_what_the_parent_was_told_is_shown_and_nobody_is_contacted_before_the_day_the_trust_named(lent: Office) -> None:
    gateway, ann = lent.house.gateway, lent.ann
    message = a_message().view("objects").sent_at("2026-11-20T09:00:00+00:00").not_contacted_before("2026-11-23")
    reference = acknowledged(lent, message)
    case = lent.case(reference)
    facts = case.parent
    assert (facts.view, facts.organisations, facts.contact_sensitively) == ("objects", None, True)
    assert None not in (facts.told_on, facts.discussion_offered_on)
    assert facts.do_not_contact_before == date(2026, 11, 23)
    assert case.row.sensitive, "the list says that, and not what"
    given: dict[str, Any] = {"reference": reference, "version": case.row.version}
    assert failed(lambda: contact.record_contact(gateway, by=ann, **given, attempt=SPOKE)) == Code.CONTACT_TOO_EARLY
    planned = replace(SPOKE, result="no-answer", on=date(2026, 11, 20), next_try_on=date(2026, 11, 21))
    assert failed(lambda: contact.record_contact(gateway, by=ann, **given, attempt=planned)) == Code.CONTACT_TOO_EARLY


def test_a_question_stops_the_clock_until_the_trust_answers_by_an_update(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    message = a_message()
    reference = acknowledged(office, message)
    due = office.case(reference).row.reply_by
    asked = ask.ask_trust(gateway, by=ann, reference=reference, version=office.version(reference), question="contact-details")
    assert (asked.status, asked.told_trust) == (Status.QUESTION, True)
    told = task(office, reference)
    assert (told.state, told.present[-1].what, told.present[-1].code) == ("acknowledged", "question", "contact-details")
    shown = task_resource(
        TaskFacts(
            notification_id=told.id,
            reference=told.reference,
            state=State(told.state),
            authority=told.authority,
            sender_ods="RXX",
            accepted_at=told.accepted_at,
            changed_at=told.changed_at,
            present=told.present,
            history=told.history,
        )
    )
    assert shown["output"][-1]["valueCodeableConcept"]["coding"][0]["code"] == "contact-details"
    assert shown["extension"][-1]["extension"][-1]["valueCoding"]["system"].endswith("/authority-question")
    version = asked.version
    assert failed(lambda: ask.ask_trust(gateway, by=ann, reference=reference, version=version, question="needs")) == Code.CASE_STATE
    assert failed(lambda: ask.ask_trust(gateway, by=ann, reference=reference, version=version, question="why")) == Code.CASE_CHOICE
    office.house.clock.move(timedelta(days=21))
    waiting = office.case(reference)
    assert waiting.row.reply_by is not None
    assert (waiting.row.reply_by.late, waiting.row.reply_by.paused_since) == (False, asked.at), "neither late nor on time"
    assert read.list_cases(gateway, ann, Filters()).late.number == 0
    assert [each.reference for each in read.list_cases(gateway, ann, Filters(tab=Tab.WAITING)).rows] == [reference]

    office.arrives(message.followed_by("update").having(rename))
    case = office.case(reference)
    assert (case.row.status, case.row.officer, case.questions[0].closed_by) == (Status.RECEIVED, Officer(ann.id, ann.name), "update")
    assert case.next is Step.ACKNOWLEDGE
    assert case.notices[0].kind is NoticeKind.CHANGED
    assert case.notices[0].parts == (Part.NAME,), "which part changed, and never to what"
    done = acknowledge.acknowledge(gateway, by=ann, reference=reference, version=case.row.version)
    assert due is not None
    assert done.reply_by == Calendar.load().after(due.on, 15), "later by the working days for which it stood still"
    notices.dismiss(gateway, by=ann, notice=case.notices[0].id)
    notices.dismiss(gateway, by=ann, notice=case.notices[0].id)
    assert (office.case(reference).notices, len(office.case(reference, office.bob).notices)) == ((), 1), "each for themselves"


def rename(data: dict[str, Any]) -> None:
    """The child's family name changes."""
    for entry in data["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["name"][0]["family"] = "HOLLOWELL-JUDD"


def test_a_question_can_be_taken_back(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    reference = acknowledged(office)
    asked = ask.ask_trust(gateway, by=ann, reference=reference, version=office.version(reference), question="address")
    office.house.clock.move(timedelta(days=3))
    back = ask.take_question_back(gateway, by=ann, reference=reference, version=asked.version)
    assert (back.status, back.reply_by) == (Status.ACKNOWLEDGED, Calendar.load().after(asked.reply_by or TODAY, 1))
    assert task(office, reference).present[-1].what == "question-closed"
    assert failed(lambda: ask.take_question_back(gateway, by=ann, reference=reference, version=back.version)) == Code.CASE_STATE


def test_the_second_of_two_officers_is_told_and_nothing_is_lost(office: Office) -> None:
    gateway = office.house.gateway
    reference = acknowledged(office)
    seen = office.case(reference, office.bob)
    contact.record_contact(gateway, by=office.ann, reference=reference, version=seen.row.version, attempt=SPOKE)
    late: dict[str, Any] = {"reference": reference, "version": seen.row.version, "outcome": "portage", "on": TODAY}
    assert failed(lambda: outcome.record_outcome(gateway, by=office.bob, **late)) == Code.CASE_CHANGED
    now = office.case(reference, office.bob)
    assert [each.what for each in now.history if each.version > seen.row.version] == ["contact"], "what changed meanwhile"
    assert now.row.status is Status.CONTACTED


def test_two_at_the_same_instant_are_taken_one_after_the_other(office: Office) -> None:
    gateway = office.house.gateway
    reference = office.arrives(a_message())
    version = office.version(reference)

    def take(person: Person) -> str:
        try:
            acknowledge.acknowledge(gateway, by=person, reference=reference, version=version)
        except Conflict as conflict:
            return conflict.issues[0].code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, (office.ann, office.bob))) == [Code.CASE_CHANGED, "done"]
    assert [each.what for each in office.case(reference).history] == ["acknowledged", "assigned", "received"]


def test_another_authority_finds_nothing_whatever_it_names(office: Office) -> None:
    gateway, sam = office.house.gateway, office.stranger
    reference = acknowledged(office)
    case = office.case(reference)
    given: dict[str, Any] = {"by": sam, "reference": reference, "version": case.row.version}
    other = office.arrives(a_message().to_authority(MIDDLESBROUGH).because("moved"))
    mine = office.case(other, sam).row.version
    acts: list[Callable[[], object]] = [
        lambda: read.show_case(gateway, sam, reference),
        lambda: acknowledge.acknowledge(gateway, **given),
        lambda: assign.assign(gateway, **given, officer=sam.id),
        lambda: assign.assign_all(gateway, by=sam, cases={reference: case.row.version}, officer=sam.id),
        lambda: assign.undo(gateway, **given),
        lambda: contact.record_contact(gateway, **given, attempt=SPOKE),
        lambda: ask.ask_trust(gateway, **given, question="address"),
        lambda: ask.take_question_back(gateway, **given),
        lambda: outcome.record_outcome(gateway, **given, outcome="portage", on=TODAY),
        lambda: outcome.reopen(gateway, **given, reason="new-information"),
        lambda: send_back.send_back(gateway, **given, reason="moved", suggested=None),
        lambda: close.close_withdrawn(gateway, **given),
        lambda: extend.extend(gateway, **given, on=TODAY, reason="staffing"),
        lambda: pairs.link(gateway, by=sam, reference=other, version=mine, other=reference),
    ]
    assert {failed(act) for act in acts} == {Code.CASE_UNKNOWN}
    assert [row.reference for row in read.list_cases(gateway, sam, Filters()).rows] == [other]
    assert read.list_cases(gateway, sam, Filters(reference=reference)).rows == ()
    colleague: dict[str, Any] = {"reference": other, "version": mine, "officer": office.ann.id}
    assert failed(lambda: assign.assign(gateway, by=sam, **colleague)) == Code.COLLEAGUE_UNKNOWN
    assert office.case(reference).row.version == case.row.version


def test_whoever_is_no_officer_does_nothing(lent: Office) -> None:
    gateway = lent.house.gateway
    reference = lent.arrives(a_message())
    nobody = replace(lent.ann, roles=frozenset({Role.IG_OFFICER, Role.STRATEGIC_LEAD, Role.TRUST_ENGINEER, Role.OPERATOR}))
    version = lent.version(reference)
    acts: list[Callable[[], object]] = [
        lambda: read.list_cases(gateway, nobody, Filters()),
        lambda: read.show_case(gateway, nobody, reference),
        lambda: acknowledge.acknowledge(gateway, by=nobody, reference=reference, version=version),
        lambda: settings.show_settings(gateway, nobody),
        lambda: pairs.list_pairs(gateway, nobody),
        lambda: team.list_team(gateway, nobody),
        lambda: send_back.suggestions(gateway, nobody),
        lambda: notices.dismiss(gateway, by=nobody, notice=uuid4()),
        lambda: extend.extend(gateway, by=lent.ann, reference=reference, version=version, on=TODAY, reason="staffing"),
        lambda: settings.save_settings(gateway, by=lent.ann, settings=InboxSettings()),
        lambda: team.set_leave(gateway, by=lent.ann, member=lent.bob.id, away_from=None, away_to=None, deputy=None),
    ]
    assert {failed(act) for act in acts} == {Code.SCOPE_MISSING}
