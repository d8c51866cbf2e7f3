# SPDX-License-Identifier: MIT
"""Whose a case is, whose child it is, and what the trust, or the authority's own system, does to it meanwhile; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from notify_gateway.domain.casework import Decision, NoticeKind, Status, Step, Tab
from notify_gateway.domain.catalogue import Code
from notify_gateway.store.tables import case_tables
from notify_gateway.use_cases import collect, feedback
from notify_gateway.use_cases.inbox import (
    acknowledge,
    ask,
    assign,
    close,
    contact,
    disputes,
    extend,
    outcome,
    pairs,
    read,
    send_back,
    settings,
    team,
)
from notify_gateway.use_cases.inbox.read import Filters
from notify_gateway.use_cases.inbox.settings import InboxSettings
from notify_gateway.use_cases.invariants.cases import CasesTally
from notify_gateway.use_cases.invariants.finding import Level
from tests.support.messages import a_message
from tests.support.templates import Templates
from tests.use_cases.casework import Office, an_office, carry
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House, furnished
from tests.use_cases.test_casework import SPOKE, TODAY, acknowledged, failed, task


@pytest.fixture
def office(house: House) -> Iterator[Office]:
    """An office in which, whatever is done, each case tallies with its delivery."""
    yield an_office(house)
    assert CasesTally().check(house.gateway, whole=True).level is Level.OK


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Office]:
    """One office on SQLite for what does not differ between the databases."""
    for house in furnished(tmp_path_factory.mktemp("office"), templates, None):
        yield an_office(house)


def holder(office: Office, reference: str) -> str | None:
    officer = office.case(reference).row.officer
    return None if officer is None else officer.name


def test_a_case_is_taken_given_and_taken_back(office: Office) -> None:
    gateway, ann, bob, manager = office.house.gateway, office.ann, office.bob, office.manager
    reference = office.arrives(a_message())
    first = office.version(reference)
    assert failed(lambda: assign.assign(gateway, by=ann, reference=reference, version=first, officer=bob.id)) == Code.SCOPE_MISSING
    taken = assign.assign(gateway, by=ann, reference=reference, version=first, officer=ann.id)
    given: dict[str, Any] = {"reference": reference, "version": taken.version, "officer": bob.id}
    assert failed(lambda: assign.assign(gateway, by=manager, **given)) == Code.CASE_CHOICE, "a reason is given"
    assert failed(lambda: assign.assign(gateway, by=bob, **given, reason="away")) == Code.SCOPE_MISSING
    moved = assign.assign(gateway, by=manager, **given, reason="workload")
    assert holder(office, reference) == "Bob Baker"
    assert office.case(reference, manager).assignments[0].undoable_until is not None
    assert failed(lambda: assign.undo(gateway, by=ann, reference=reference, version=moved.version)) == Code.UNDO_TOO_LATE
    back = assign.undo(gateway, by=manager, reference=reference, version=moved.version)
    assert holder(office, reference) == "Ann Archer"
    assert failed(lambda: assign.undo(gateway, by=manager, reference=reference, version=back.version)) == Code.UNDO_TOO_LATE
    free = assign.assign(gateway, by=ann, reference=reference, version=back.version, officer=None)
    assert (free.repeated, holder(office, reference)) == (False, None)
    office.house.clock.move(timedelta(minutes=11))
    assert failed(lambda: assign.undo(gateway, by=ann, reference=reference, version=free.version)) == Code.UNDO_TOO_LATE
    same = assign.assign(gateway, by=ann, reference=reference, version=free.version, officer=None)
    assert same.repeated, "nobody had it already"


def test_a_manager_assigns_many_or_none_and_a_deputy_stands_in(office: Office) -> None:
    gateway, bob, manager = office.house.gateway, office.bob, office.manager
    references = [office.arrives(a_message()) for _ in range(3)]
    cases = {each: office.version(each) for each in references}
    until = TODAY + timedelta(days=5)
    away = team.set_leave(gateway, by=bob, member=bob.id, away_from=TODAY, away_to=until, deputy=office.ann.id)
    assert (away.away_now, away.away_to, away.deputy and away.deputy.name) == (True, until, "Ann Archer")
    stale = cases | {references[1]: 7}
    assert failed(lambda: assign.assign_all(gateway, by=manager, cases=stale, officer=bob.id)) == Code.CASE_CHANGED
    assert {holder(office, each) for each in references} == {None}, "all or none"
    done = assign.assign_all(gateway, by=manager, cases=cases, officer=bob.id)
    assert len(done) == 3
    assert {holder(office, each) for each in references} == {"Ann Archer"}
    assert office.case(references[0]).history[0].details["instead_of"] == "Bob Baker"
    assert {each.officer.name: each.open for each in team.list_team(gateway, manager)} == {"Ann Archer": 3, "Bob Baker": 0, "May Moss": 0}
    back = team.set_leave(gateway, by=manager, member=bob.id, away_from=None, away_to=None, deputy=None)
    assert (back.away_now, back.deputy) == (False, None)
    assert failed(lambda: assign.assign_all(gateway, by=manager, cases={}, officer=bob.id)) == Code.CASE_CHOICE


def test_what_is_sent_back_stays_open_until_the_trust_sends_it_again(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    message = a_message()
    reference = acknowledged(office, message)
    named = {each.gss: each.name for each in send_back.suggestions(gateway, ann)}
    assert STOCKTON not in named
    assert named[MIDDLESBROUGH] == "Middlesbrough"
    given: dict[str, Any] = {"reference": reference, "version": office.version(reference), "reason": "moved"}
    for wrong in (STOCKTON, "E99999999"):
        assert failed(partial(send_back.send_back, gateway, by=ann, **given, suggested=wrong)) == Code.SUGGESTED_AUTHORITY
    assert failed(lambda: send_back.send_back(gateway, by=ann, **(given | {"reason": "far"}), suggested=None)) == Code.SEND_BACK_REASON
    done = send_back.send_back(gateway, by=ann, **given, suggested=MIDDLESBROUGH)
    assert (done.status, done.told_trust, task(office, reference).state) == (Status.SENT_BACK, True, "sent-back")
    sent = office.case(reference).sent_back
    assert sent is not None
    assert (sent.suggested_name, sent.resent_at, sent.times, sent.disputed) == ("Middlesbrough", None, 1, False)
    assert [row.reference for row in read.list_cases(gateway, ann, Filters(tab=Tab.WAITING)).rows] == [reference]

    office.arrives(message.followed_by("update").to_authority(MIDDLESBROUGH).because("moved"))
    resent = office.case(reference).sent_back
    assert resent is not None
    assert resent.resent_at is not None
    assert [row.reference for row in read.list_cases(gateway, ann, Filters(tab=Tab.FINISHED)).rows] == [reference]
    there = read.show_case(gateway, office.stranger, reference)
    assert there.row.status is Status.RECEIVED, "the other authority has it, and knows nothing of the work done before"
    assert [each.what for each in there.history] == ["received"]


def test_what_goes_to_and_fro_is_settled_by_people(office: Office) -> None:
    gateway, ann, sam = office.house.gateway, office.ann, office.stranger
    message = a_message()
    reference = office.arrives(message)
    send_back.send_back(gateway, by=ann, reference=reference, version=1, reason="moved", suggested=MIDDLESBROUGH)
    message = message.followed_by("update").to_authority(MIDDLESBROUGH).because("moved")
    office.arrives(message)
    version = read.show_case(gateway, sam, reference).row.version
    send_back.send_back(gateway, by=sam, reference=reference, version=version, reason="boundary", suggested=STOCKTON)
    disputed = read.show_case(gateway, sam, reference)
    assert disputed.sent_back is not None
    assert (disputed.sent_back.times, disputed.sent_back.disputed) == (2, True)
    for person in (ann, sam):
        (notice,) = read.list_cases(gateway, person, Filters()).notices
        assert (notice.kind, notice.reference) == (NoticeKind.DISPUTED, reference)
    (listed,) = disputes.list_disputes(gateway)
    assert (listed.reference, listed.authorities) == (reference, (STOCKTON, MIDDLESBROUGH))

    office.arrives(message.followed_by("update").to_authority(STOCKTON).because("boundary"))
    back = office.case(reference)
    assert (back.row.status, back.may_send_back) == (Status.RECEIVED, False)
    given: dict[str, Any] = {"reference": reference, "version": back.row.version, "reason": "moved", "suggested": None}
    assert failed(lambda: send_back.send_back(gateway, by=ann, **given)) == Code.CASE_DISPUTED
    assert [disputes.settle(gateway, reference=reference, actor="operator:oda") for _ in range(2)] == [True, False]
    assert failed(lambda: disputes.settle(gateway, reference="SEN-00000000-0", actor="operator:oda")) == Code.TASK_UNKNOWN
    send_back.send_back(gateway, by=ann, **given)
    assert disputes.list_disputes(gateway) == [], "counted anew since it was settled"


def test_a_withdrawal_is_seen_and_closed(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    message = a_message()
    reference = acknowledged(office, message)
    office.arrives(message.followed_by("delete"))
    case = office.case(reference)
    assert (case.row.status, case.next, case.may_close, case.may_contact) == (Status.WITHDRAWN, Step.CLOSE, True, False)
    assert case.row.needs, "what it said stays readable"
    assert [each.kind for each in read.list_cases(gateway, ann, Filters()).notices] == [NoticeKind.WITHDRAWN]
    given: dict[str, Any] = {"reference": reference, "version": case.row.version}
    assert failed(lambda: contact.record_contact(gateway, by=ann, **given, attempt=SPOKE)) == Code.CASE_WITHDRAWN
    closed = close.close_withdrawn(gateway, by=ann, **given)
    assert (closed.next, closed.told_trust, task(office, reference).state) == (Step.NOTHING, True, "acknowledged")
    assert close.close_withdrawn(gateway, by=ann, reference=reference, version=closed.version).repeated
    assert read.list_cases(gateway, ann, Filters()).notices == ()
    other = acknowledged(office)
    assert failed(lambda: close.close_withdrawn(gateway, by=ann, reference=other, version=office.version(other))) == Code.CASE_STATE
    assert failed(lambda: office.case("SEN-00000000-0")) == Code.CASE_UNKNOWN


def test_one_child_is_one_thread_and_no_family_is_contacted_twice_by_accident(office: Office) -> None:
    gateway, ann, bob = office.house.gateway, office.ann, office.bob
    first = acknowledged(office, a_message(77))
    contact.record_contact(gateway, by=ann, reference=first, version=office.version(first), attempt=SPOKE)
    second = office.arrives(a_message(77))
    case = office.case(second, bob)
    (other,) = case.related
    assert (other.reference, other.how, other.decision, other.contacted_on) == (first, "number", Decision.OPEN, TODAY)
    assert (other.officer and other.officer.name, other.trust.ods, case.row.additional) == ("Ann Archer", "RXX", True)
    assert [(each.reference, each.contacted_on) for each in case.warnings] == [(first, TODAY)]
    assert [each.kind for each in office.case(first).notices] == [NoticeKind.RELATED]

    done = acknowledge.acknowledge(gateway, by=bob, reference=second, version=case.row.version)
    given: dict[str, Any] = {"reference": second, "version": done.version}
    assert failed(lambda: contact.record_contact(gateway, by=bob, **given, attempt=SPOKE)) == Code.CONTACT_RELATED
    seen = contact.record_contact(gateway, by=bob, **given, attempt=replace(SPOKE, related_seen=True))
    assert seen.status is Status.CONTACTED
    assert task(office, first).history == task(office, first).history
    assert all(each.what != "related" for each in task(office, second).history), "nothing of other senders reaches a sender"


def test_duplicates_are_decided_and_undone(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    first = office.arrives(a_message(78))
    office.house.clock.move(timedelta(days=7))
    second = office.arrives(a_message(78))
    (pair,) = pairs.list_pairs(gateway, ann)
    assert (pair.one.reference, pair.other.reference, pair.decision) == (first, second, Decision.OPEN)
    decide: dict[str, Any] = {"pair": pair.id, "version": pair.version, "decision": "duplicate"}
    assert failed(lambda: pairs.decide(gateway, by=ann, **decide)) == Code.CASE_CHOICE, "which one is kept?"
    assert failed(lambda: pairs.decide(gateway, by=ann, **(decide | {"decision": "open"}))) == Code.CASE_CHOICE
    made = pairs.decide(gateway, by=ann, **decide, kept=second)
    assert (made.decision, made.kept, made.one.status) == (Decision.DUPLICATE, second, Status.DUPLICATE)
    assert made.other.reply_by is not None
    assert made.other.reply_by.on == date(2026, 12, 1), "a step that is due from the latest delivery on"
    assert task(office, first).state == "acknowledged", "its trust sees that somebody took it on"
    assert failed(lambda: pairs.decide(gateway, by=ann, **decide, kept=first)) == Code.CASE_CHANGED
    again: dict[str, Any] = decide | {"version": made.version, "decision": "keep-both"}
    assert failed(lambda: pairs.decide(gateway, by=ann, **again)) == Code.CASE_STATE, "first undone, then decided anew"
    undone = pairs.undo(gateway, by=ann, pair=pair.id, version=made.version)
    assert (undone.decision, undone.one.status) == (Decision.OPEN, Status.ACKNOWLEDGED)
    apart = pairs.decide(gateway, by=ann, pair=pair.id, version=undone.version, decision="not-the-same")
    assert (pairs.list_pairs(gateway, ann), apart.one.additional, office.case(first).related[0].decision) == (
        (),
        False,
        Decision.NOT_THE_SAME,
    )
    office.house.clock.move(timedelta(days=31))
    assert failed(lambda: pairs.undo(gateway, by=ann, pair=pair.id, version=apart.version)) == Code.UNDO_TOO_LATE
    assert failed(lambda: pairs.show_pair(gateway, office.stranger, pair.id)) == Code.CASE_UNKNOWN


def test_an_officer_links_by_hand_and_unlinks(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    first, second = (office.arrives(a_message().without("nhs-number")) for _ in range(2))
    assert office.case(first).related == ()
    linked = pairs.link(gateway, by=ann, reference=first, version=office.version(first), other=second)
    assert (linked.how, linked.decision) == ("hand", Decision.KEEP_BOTH)
    assert [each.reference for each in office.case(second).related] == [first]
    given: dict[str, Any] = {"reference": first, "version": office.version(first)}
    assert failed(lambda: pairs.link(gateway, by=ann, **given, other=second)) == Code.CASE_STATE
    assert failed(lambda: pairs.link(gateway, by=ann, **given, other="SEN-00000000-0")) == Code.CASE_UNKNOWN
    pairs.undo(gateway, by=ann, pair=linked.id, version=linked.version)
    assert not office.case(first).row.additional
    assert pairs.link(gateway, by=ann, reference=first, version=office.version(first), other=second).decision is Decision.KEEP_BOTH


def test_the_case_follows_what_the_authority_s_own_system_says(office: Office) -> None:
    gateway = office.house.gateway
    reference = office.arrives(a_message())
    given: dict[str, Any] = {"authority": STOCKTON, "delivery_id": office.case(reference).delivery_id}
    seen: list[Status] = []
    collect.acknowledge(gateway, **given)
    seen.append(office.case(reference).row.status)
    feedback.record_contact(gateway, **given, on=TODAY)
    seen.append(office.case(reference).row.status)
    feedback.record_outcome(gateway, **given, outcome="portage", on=TODAY)
    seen.append(office.case(reference).row.status)
    assert seen == [Status.ACKNOWLEDGED, Status.CONTACTED, Status.OUTCOME]
    assert office.case(reference).outcomes[0].code == "portage"
    assert {each.who for each in office.case(reference).history[:3]} == {"Your authority’s own system"}
    other = office.arrives(a_message())
    feedback.send_back(gateway, authority=STOCKTON, delivery_id=office.case(other).delivery_id, reason="moved", suggested=None)
    assert office.case(other).row.status is Status.SENT_BACK


def test_an_outcome_is_reopened_and_both_stay(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    reference = acknowledged(office)
    given: dict[str, Any] = {"reference": reference, "version": office.version(reference), "on": TODAY}
    wrong: dict[str, Any] = {"outcome": "magic"}
    assert failed(lambda: outcome.record_outcome(gateway, by=ann, **given, **wrong)) == Code.OUTCOME_UNKNOWN
    past: dict[str, Any] = {"outcome": "portage", "review_on": date(2026, 1, 1)}
    assert failed(lambda: outcome.record_outcome(gateway, by=ann, **given, **past)) == Code.CASE_DAY
    done = outcome.record_outcome(gateway, by=ann, **given, outcome="family-declined", review_on=date(2027, 2, 1))
    again: dict[str, Any] = {"reference": reference, "version": done.version}
    assert failed(lambda: outcome.reopen(gateway, by=ann, **again, reason="because")) == Code.CASE_CHOICE
    opened = outcome.reopen(gateway, by=ann, **again, reason="family-came-back")
    assert (opened.status, opened.next) == (Status.ACKNOWLEDGED, Step.CONTACT)
    spoken = contact.record_contact(gateway, by=ann, reference=reference, version=opened.version, attempt=replace(SPOKE, tell_trust=True))
    assert not spoken.told_trust, "the trust has an outcome, and hears of the next"
    outcome.record_outcome(gateway, by=ann, reference=reference, version=spoken.version, outcome="portage", on=TODAY)
    assert [(each.code, each.reopened_because) for each in office.case(reference).outcomes] == [
        ("portage", None),
        ("family-declined", "The family came back"),
    ]
    assert task(office, reference).present[-1].code == "portage"


def test_rules_are_the_authority_s_own_and_open_cases_follow_them(office: Office) -> None:
    gateway, manager = office.house.gateway, office.manager
    reference = acknowledged(office)
    before = office.case(reference).row.reply_by
    assert settings.show_settings(gateway, office.ann) == InboxSettings()
    saved = settings.save_settings(gateway, by=manager, settings=InboxSettings(contact_days=3, service_phone="01642 000000"))
    assert saved.changed_by == "May Moss"
    assert settings.show_settings(gateway, office.ann) == saved
    after = office.case(reference).row.reply_by
    assert before is not None
    assert after is not None
    assert (before.on, after.on) == (date(2026, 12, 4), date(2026, 11, 25))
    settings.save_settings(gateway, by=manager, settings=replace(saved, planning_only=True))
    assert office.case(reference).next is Step.OUTCOME, "no family is contacted by rule"
    assert settings.show_settings(gateway, office.stranger) == InboxSettings(), "another authority has its own"


@pytest.mark.parametrize(
    "wrong",
    [
        InboxSettings(contact_days=0),
        InboxSettings(outcome_days=121),
        InboxSettings(reveal_window=timedelta(minutes=61)),
        InboxSettings(reveal_window=timedelta(seconds=330)),
        InboxSettings(restricted_contact="x" * 201),
        InboxSettings(service_email="ada"),
        InboxSettings(safeguarding_phone="ask Ada"),
    ],
    ids=["no-days", "many-days", "long-window", "odd-window", "words", "e-mail", "phone"],
)
def test_rules_that_cannot_be_are_refused(lent: Office, wrong: InboxSettings) -> None:
    assert failed(lambda: settings.save_settings(lent.house.gateway, by=lent.manager, settings=wrong)) == Code.INBOX_RULES


def test_leave_that_cannot_be_is_refused(lent: Office) -> None:
    gateway, ann = lent.house.gateway, lent.ann
    for away_from, away_to in ((TODAY, None), (TODAY, date(2026, 11, 19)), (TODAY, date(2029, 1, 1)), (date(2026, 11, 22), TODAY)):
        days: dict[str, Any] = {"away_from": away_from, "away_to": away_to}
        assert failed(partial(team.set_leave, gateway, by=ann, member=ann.id, **days, deputy=None)) == Code.CASE_DAY
    present: dict[str, Any] = {"away_from": None, "away_to": None}
    assert failed(lambda: team.set_leave(gateway, by=ann, member=ann.id, **present, deputy=ann.id)) == Code.CASE_CHOICE
    assert failed(lambda: team.set_leave(gateway, by=ann, member=ann.id, **present, deputy=lent.stranger.id)) == Code.COLLEAGUE_UNKNOWN


def test_a_manager_sets_a_later_day_that_is_not_hidden(lent: Office) -> None:
    gateway, manager = lent.house.gateway, lent.manager
    reference = acknowledged(lent)
    given: dict[str, Any] = {"reference": reference, "version": lent.version(reference), "reason": "panel-date"}
    for on in (date(2026, 11, 19), date(2027, 3, 1)):
        assert failed(partial(extend.extend, gateway, by=manager, **given, on=on)) == Code.CASE_DAY
    assert failed(lambda: extend.extend(gateway, by=manager, **(given | {"reason": "why"}), on=TODAY)) == Code.CASE_CHOICE
    done = extend.extend(gateway, by=manager, **given, on=date(2026, 12, 18))
    row = lent.case(reference).row
    assert row.reply_by is not None
    assert (done.reply_by, row.reply_by.on, row.reply_by.extended) == (date(2026, 12, 18), date(2026, 12, 18), True)
    assert lent.case(reference).history[0].details == {"step": "Contact the family", "on": "2026-12-18", "reason": "Waits for the panel"}


def test_an_update_that_comes_after_the_outcome_is_worked_anew(lent: Office) -> None:
    gateway, ann = lent.house.gateway, lent.ann
    message = a_message()
    reference = acknowledged(lent, message)
    outcome.record_outcome(gateway, by=ann, reference=reference, version=lent.version(reference), outcome="portage", on=TODAY)
    lent.arrives(message.followed_by("update").needs("HI"))
    case = lent.case(reference)
    assert (case.row.status, case.outcomes[0].reopened_because) == (Status.RECEIVED, "The trust sent an update")
    assert [each.value for each in case.notices[0].parts] == ["needs"]
    assert [need.code for need in case.row.needs] == ["HI"]


def test_what_came_by_another_channel_is_a_case_from_its_next_message_on(lent: Office) -> None:
    house = lent.house
    message = a_message().to_authority(MIDDLESBROUGH).because("moved")
    with house.gateway.engine.begin() as connection:
        before = len(connection.execute(case_tables.cases.select()).all())
    house.accept(message)
    delivery = carry(house)
    assert len(delivery) == 1
    lent.arrives(message.followed_by("delete"))
    with house.gateway.engine.begin() as connection:
        assert len(connection.execute(case_tables.cases.select()).all()) == before + 1


def test_asking_is_for_what_is_open(lent: Office) -> None:
    gateway, ann = lent.house.gateway, lent.ann
    reference = acknowledged(lent)
    done = outcome.record_outcome(gateway, by=ann, reference=reference, version=lent.version(reference), outcome="portage", on=TODAY)
    given: dict[str, Any] = {"reference": reference, "version": done.version}
    assert failed(lambda: ask.ask_trust(gateway, by=ann, **given, question="address")) == Code.CASE_STATE
    assert failed(lambda: send_back.send_back(gateway, by=ann, **given, reason="moved", suggested=None)) == Code.CASE_STATE
    assert failed(lambda: acknowledge.acknowledge(gateway, by=ann, **given)) == Code.CASE_STATE
    assert isinstance(lent.case(reference).notification_id, UUID)


def test_a_case_that_says_other_than_its_delivery_is_found(lent: Office) -> None:
    gateway = lent.house.gateway
    reference = lent.arrives(a_message())
    assert CasesTally().check(gateway, whole=True).level is Level.OK
    of_case = case_tables.cases.c.reference == reference
    for values, level in (({"stage": "outcome"}, Level.FAIL), ({"stage": "received"}, Level.OK)):
        with gateway.engine.begin() as connection:
            connection.execute(case_tables.cases.update().where(of_case).values(values))
        found = CasesTally().check(gateway, whole=True)
        assert (found.level, found.references) == (level, (reference,) if level is Level.FAIL else ())
