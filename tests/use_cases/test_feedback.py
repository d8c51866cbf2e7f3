# SPDX-License-Identifier: MIT
"""What an authority says after its acknowledgement: in order, once, in codes and days, each with its entry in the log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from audit.events import read_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import Conflict, NotFound, NotifyError, Refused
from notify_gateway.domain.model import BusinessIdentifier
from notify_gateway.fhir.names import NOTIFICATION_SYSTEM, REFERENCE_SYSTEM
from notify_gateway.store import tables
from notify_gateway.store.tracking import Tracked
from notify_gateway.use_cases import collect, deliver, feedback, reveal, track
from notify_gateway.use_cases.collect import DeliveryState
from tests.support.messages import Message, a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House

TODAY = date(2026, 11, 20)
SYSTEM = "https://trust.example/notifications"


def deliver_all(house: House) -> list[UUID]:
    """Offer all that is due; return the ids in order."""
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    going = deliver.begin_attempts(house.gateway, ids, owner="one")
    results = [AttemptResult(each.delivery_id, each.attempt, AttemptOutcome.OFFERED, "ok", None, None) for each in going]
    deliver.finish_attempts(house.gateway, results, owner="one")
    return [each.delivery_id for each in going]


def take_up(house: House, delivery_id: UUID, *, acknowledge: bool = True) -> None:
    document = collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery_id)
    digest = hashlib.sha256(document).digest()
    collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=delivery_id, digest=digest)
    if acknowledge:
        collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=delivery_id)


def send(house: House, message: Message) -> UUID:
    accepted = house.accept(message)
    return accepted.notification_id


@pytest.fixture
def notified(house: House) -> UUID:
    return send(house, a_message())


@pytest.fixture
def taken_up(house: House, notified: UUID) -> UUID:
    (delivery_id,) = deliver_all(house)
    take_up(house, delivery_id)
    return delivery_id


def contact(house: House, delivery_id: UUID, on: date = TODAY, authority: str = STOCKTON) -> DeliveryState:
    return feedback.record_contact(house.gateway, authority=authority, delivery_id=delivery_id, on=on)


def conclude(house: House, delivery_id: UUID, outcome: str = "portage", on: date = TODAY, authority: str = STOCKTON) -> DeliveryState:
    return feedback.record_outcome(house.gateway, authority=authority, delivery_id=delivery_id, outcome=outcome, on=on)


def send_back(
    house: House, delivery_id: UUID, reason: str = "moved", suggested: str | None = MIDDLESBROUGH, authority: str = STOCKTON
) -> DeliveryState:
    return feedback.send_back(house.gateway, authority=authority, delivery_id=delivery_id, reason=reason, suggested=suggested)


def stands(house: House, notification_id: UUID) -> Tracked:
    return track.where_it_stands(house.gateway, client=house.trust, notification_id=notification_id)


def said(house: House, *tags: str) -> list[dict[str, object]]:
    """The events of these tags that wait for the log."""
    with house.gateway.engine.begin() as connection:
        leaves = connection.scalars(select(tables.audit_tables.pending.c.leaf).order_by(tables.audit_tables.pending.c.arrival)).all()
    return [dict(event.fields) for event in map(read_leaf, leaves) if event.tag in tags]


def refused(act: Callable[[], object], code: Code, kind: type[NotifyError] = Conflict) -> None:
    with pytest.raises(kind) as error:
        act()
    assert [issue.code for issue in error.value.issues] == [code]


def test_contact_and_outcome_are_seen_by_the_trust_with_their_days(house: House, notified: UUID, taken_up: UUID) -> None:
    house.clock.move(timedelta(days=9))
    contact(house, taken_up, TODAY + timedelta(days=7))
    state = conclude(house, taken_up, "early-years-support", TODAY + timedelta(days=9))
    assert (state.state, [(step.step, step.code, step.on) for step in state.steps]) == (
        "outcome",
        [("contacted", None, date(2026, 11, 27)), ("outcome", "early-years-support", date(2026, 11, 29))],
    )
    tracked = stands(house, notified)
    assert tracked.state == "outcome"
    assert [each.what for each in tracked.history] == ["accepted", "offered", "received", "acknowledged", "contacted", "outcome"]
    assert tracked.changed_at == house.clock.now()


def test_each_step_has_one_entry_however_often_it_is_said_and_a_later_outcome_takes_the_place_of_the_first(
    house: House, notified: UUID, taken_up: UUID
) -> None:
    first = contact(house, taken_up)
    house.clock.move(timedelta(hours=1))
    assert contact(house, taken_up) == first
    concluded = conclude(house, taken_up)
    house.clock.move(timedelta(hours=1))
    assert conclude(house, taken_up) == concluded
    assert contact(house, taken_up) == concluded  # said again after it was overtaken by the next step
    fields = said(house, "delivery:contacted", "delivery:outcome")
    assert [(each.get("code"), each["on"], each["authority"]) for each in fields] == [
        (None, "2026-11-20", STOCKTON),
        ("portage", "2026-11-20", STOCKTON),
    ]
    house.clock.move(timedelta(days=3))
    conclude(house, taken_up, "early-years-support", TODAY + timedelta(days=2))
    tracked = stands(house, notified)
    assert tracked.present[-1].code == "early-years-support"
    assert [each.code for each in tracked.history if each.what == "outcome"] == ["portage", "early-years-support"]


def test_a_step_out_of_order_is_a_conflict(house: House, notified: UUID) -> None:
    (delivery_id,) = deliver_all(house)
    for act in (contact, conclude, send_back):
        refused(lambda act=act: act(house, delivery_id), Code.DELIVERY_STATE)
    take_up(house, delivery_id, acknowledge=False)
    refused(lambda: contact(house, delivery_id), Code.DELIVERY_STATE)
    refused(lambda: conclude(house, delivery_id), Code.DELIVERY_STATE)
    collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=delivery_id)
    house.clock.move(timedelta(days=2))
    contact(house, delivery_id)
    refused(lambda: contact(house, delivery_id, TODAY + timedelta(days=1)), Code.DELIVERY_STATE)
    conclude(house, delivery_id)
    refused(lambda: send_back(house, delivery_id), Code.DELIVERY_STATE)
    assert len(said(house, "delivery:contacted", "delivery:returned")) == 1


def test_only_codes_of_the_lists_other_authorities_and_days_that_can_be_are_taken(house: House, taken_up: UUID) -> None:
    for on in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        refused(lambda on=on: contact(house, taken_up, on), Code.STEP_DATE, Refused)
        refused(lambda on=on: conclude(house, taken_up, on=on), Code.STEP_DATE, Refused)
    refused(lambda: conclude(house, taken_up, "Zyxandra got a place"), Code.OUTCOME_UNKNOWN, Refused)
    refused(lambda: send_back(house, taken_up, "they left"), Code.SEND_BACK_REASON, Refused)
    for suggested in (STOCKTON, "E99999999", "W06000015", "", "Middlesbrough"):
        refused(lambda suggested=suggested: send_back(house, taken_up, suggested=suggested), Code.SUGGESTED_AUTHORITY, Refused)
    for act in (contact, conclude):
        refused(lambda act=act: act(house, taken_up, authority=MIDDLESBROUGH), Code.DELIVERY_UNKNOWN, NotFound)
    refused(lambda: send_back(house, taken_up, suggested=None, authority=MIDDLESBROUGH), Code.DELIVERY_UNKNOWN, NotFound)
    assert said(house, "delivery:contacted", "delivery:outcome", "delivery:returned") == []
    assert send_back(house, taken_up, "not-known", None).steps[-1].suggested is None


def test_what_is_sent_back_tells_the_trust_whom_the_authority_suggests_and_is_not_handed_over_again(house: House, notified: UUID) -> None:
    (delivery_id,) = deliver_all(house)
    take_up(house, delivery_id, acknowledge=False)
    first = send_back(house, delivery_id)
    house.clock.move(timedelta(minutes=1))
    assert send_back(house, delivery_id) == first
    assert said(house, "delivery:returned")[0]["suggested"] == MIDDLESBROUGH
    tracked = stands(house, notified)
    assert (tracked.state, tracked.present[-1].code, tracked.present[-1].suggested) == ("sent-back", "moved", MIDDLESBROUGH)
    for act in (collect.fetch, collect.acknowledge):
        refused(lambda act=act: act(house.gateway, authority=STOCKTON, delivery_id=delivery_id), Code.DELIVERY_STATE)
    why = {"kind": "card", "reason": reveal.RevealReason.CONTACT_FAMILY, "case_reference": "EY-1"}
    refused(lambda: reveal.grant(house.gateway, authority=STOCKTON, delivery_id=delivery_id, **why), Code.DELIVERY_STATE)
    assert set(collect.receipt_events(house.gateway, authority=STOCKTON, delivery_id=delivery_id)) == {"received", "sent-back"}
    assert collect.state_of(house.gateway, authority=STOCKTON, delivery_id=delivery_id) == first


def test_an_update_after_the_contact_starts_anew_and_leaves_the_history(house: House) -> None:
    message = a_message()
    notification_id = send(house, message)
    (first,) = deliver_all(house)
    take_up(house, first)
    contact(house, first)
    house.clock.move(timedelta(hours=1))
    send(house, message.followed_by("update"))
    tracked = stands(house, notification_id)
    assert (tracked.state, tracked.present) == ("queued", ())
    assert [(each.event, each.what) for each in tracked.history] == [
        ("new", "accepted"),
        ("new", "offered"),
        ("new", "received"),
        ("new", "acknowledged"),
        ("new", "contacted"),
        ("update", "accepted"),
    ]
    (second,) = deliver_all(house)
    conclude(house, first, "planning-only")  # the update has not arrived yet: what the authority knows still counts
    take_up(house, second)
    refused(lambda: conclude(house, first, "portage"), Code.DELIVERY_REPLACED)
    conclude(house, second, "portage")
    tracked = stands(house, notification_id)
    assert [(each.event, each.code) for each in tracked.history if each.what == "outcome"] == [
        ("new", "planning-only"),
        ("update", "portage"),
    ]


def test_of_a_withdrawal_an_authority_takes_note_and_no_more(house: House) -> None:
    message = a_message()
    notification_id = send(house, message)
    (first,) = deliver_all(house)
    take_up(house, first)
    send(house, message.followed_by("delete"))
    (second,) = deliver_all(house)
    take_up(house, second)
    for delivery_id, code in ((first, Code.DELIVERY_REPLACED), (second, Code.DELIVERY_STATE)):
        refused(lambda delivery_id=delivery_id, code=code: contact(house, delivery_id), code)
        refused(lambda delivery_id=delivery_id, code=code: send_back(house, delivery_id), code)
    assert stands(house, notification_id).event == "delete"


def test_after_sending_back_the_trust_sends_to_the_other_authority_and_the_story_stays_whole(house: House) -> None:
    message = a_message()
    notification_id = send(house, message)
    (first,) = deliver_all(house)
    take_up(house, first)
    send_back(house, first)
    send(house, message.followed_by("update").for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
    tracked = stands(house, notification_id)
    assert (tracked.authority, tracked.state) == (MIDDLESBROUGH, "queued")
    assert ("sent-back", STOCKTON) in [(each.what, each.authority) for each in tracked.history]
    assert json.dumps([each.authority for each in tracked.history]).count(MIDDLESBROUGH) == 1


def test_a_trust_finds_its_own_by_its_identifier_by_our_reference_and_by_our_id(house: House) -> None:
    message = a_message()
    accepted = house.accept(message)
    house.accept(a_message())
    own = message.document()["entry"][1]["resource"]["identifier"][0]
    identifiers = [
        BusinessIdentifier(own["system"], own["value"]),
        BusinessIdentifier(REFERENCE_SYSTEM, accepted.reference),
        BusinessIdentifier(NOTIFICATION_SYSTEM, str(accepted.notification_id)),
    ]
    for asked in ([each] for each in identifiers):
        assert [each.id for each in track.by_identifiers(house.gateway, client=house.trust, identifiers=asked)] == [
            accepted.notification_id
        ]
    assert len(track.by_identifiers(house.gateway, client=house.trust, identifiers=identifiers)) == 1
    for system, value in ((own["system"], own["value"] + "1"), (NOTIFICATION_SYSTEM, "no id")):
        asked = [BusinessIdentifier(system, value)]
        assert track.by_identifiers(house.gateway, client=house.trust, identifiers=asked) == []


def test_what_changed_is_read_page_by_page_without_a_gap_by_the_client_that_was_given_the_pages(house: House) -> None:
    sent = []
    for _ in range(5):
        sent.append(send(house, a_message()))
        house.clock.move(timedelta(minutes=1))
    since = house.clock.now()
    asked = track.Changed(None, None, 2)
    page = track.changed(house.gateway, client=house.trust, asked=asked)
    seen = [each.id for each in page.found]
    token, other = page.next or "", replace(house.trust, id=uuid4())
    for client, spoilt in ((other, token), *((house.trust, each) for each in (token[:-2] + "AA", "", "é", "x"))):
        refused(
            lambda client=client, spoilt=spoilt: track.changed(house.gateway, client=client, asked=spoilt), Code.PARAMETER_INVALID, Refused
        )
    (first, *_) = deliver_all(house)  # all five change while the pages are read: they come again, and none is left out
    while page.next is not None:
        page = track.changed(house.gateway, client=house.trust, asked=page.next)
        seen += [each.id for each in page.found]
    assert seen == [*sent[:2], *seen[2:]]
    assert sorted(seen[2:]) == sorted(sent)
    house.clock.move(timedelta(minutes=1))
    take_up(house, first)
    contact(house, first)
    late = track.changed(house.gateway, client=house.trust, asked=track.Changed(since + timedelta(seconds=1), None, 10))
    assert [(each.state, each.changed_at) for each in late.found] == [("contacted", house.clock.now())]
    early = track.changed(house.gateway, client=house.trust, asked=track.Changed(None, since, 10))
    assert early.found == ()
