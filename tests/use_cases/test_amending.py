# SPDX-License-Identifier: MIT
"""Updates and withdrawals: the whole message replaces, what has not left is overtaken, the order is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.domain.errors import Conflict, Refused
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.store import tables
from notify_gateway.use_cases import collect, deliver
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House


def standing(house: House, notification_id: UUID) -> list[tuple[str, str, str]]:
    d = tables.deliveries.c
    with house.gateway.engine.begin() as connection:
        rows = connection.execute(select(d.event, d.state, d.authority).where(d.notification_id == notification_id).order_by(d.sequence))
        return [tuple(row) for row in rows]  # type: ignore[misc]


def send_out(house: House) -> list[Outgoing]:
    sent: list[Outgoing] = []
    for hint in deliver.find_due(house.gateway):
        outgoing = deliver.begin_attempts(house.gateway, [UUID(i) for i in hint.ids], owner="test")
        outcome = AttemptOutcome.OFFERED if hint.channel == "pull" else AttemptOutcome.RECEIVED
        results = [AttemptResult(item.delivery_id, item.attempt, outcome, "ok", digest="ab" * 32) for item in outgoing]
        deliver.finish_attempts(house.gateway, results, owner="test")
        sent += outgoing
    return sent


def test_an_update_takes_the_place_of_what_has_not_left(house: House) -> None:
    message = a_message()
    first = house.accept(message)
    second = house.accept(message.followed_by("update"))
    assert (second.notification_id, second.reference) == (first.notification_id, first.reference)
    assert standing(house, first.notification_id) == [("new", "superseded", STOCKTON), ("update", "queued", STOCKTON)]


def test_an_update_of_what_was_received_follows_it(house: House) -> None:
    message = a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH)
    first = house.accept(message)
    send_out(house)
    house.accept(message.followed_by("update").needs("ASD"))
    (sent,) = send_out(house)
    document = json.loads(sent.document)
    assert document["event"] == "update"
    assert document["view"]["needs"][0]["sen_type"] == "ASD"
    assert open_delivery(document, house.keys[MIDDLESBROUGH][1], house.runtime.public.gateway).reference == first.reference
    assert [row[1] for row in standing(house, first.notification_id)] == ["received", "received"]


def test_an_update_waits_while_a_worker_holds_the_delivery_before_it(house: House) -> None:
    message = a_message()
    first = house.accept(message)
    (hint,) = deliver.find_due(house.gateway)
    (held,) = deliver.begin_attempts(house.gateway, [UUID(i) for i in hint.ids], owner="one")
    house.accept(message.followed_by("update"))
    assert [row[1] for row in standing(house, first.notification_id)] == ["queued", "queued"]
    (later,) = deliver.find_due(house.gateway)
    assert deliver.begin_attempts(house.gateway, [UUID(i) for i in later.ids], owner="two") == []
    deliver.finish_attempts(house.gateway, [AttemptResult(held.delivery_id, 1, AttemptOutcome.OFFERED, "ok")], owner="one")
    assert len(deliver.begin_attempts(house.gateway, [UUID(i) for i in later.ids], owner="two")) == 1


def test_an_update_of_an_unknown_notification_is_treated_as_new(house: House) -> None:
    accepted = house.accept(a_message().reason("update"))
    assert standing(house, accepted.notification_id) == [("update", "queued", STOCKTON)]


def test_an_older_or_equal_version_changes_nothing(house: House) -> None:
    message = a_message()
    house.accept(message)
    update = message.followed_by("update", after=timedelta(minutes=10))
    house.accept(update)
    for late in (message.followed_by("update", after=timedelta(minutes=5)), update.followed_by("update", after=timedelta(0))):
        with pytest.raises(Conflict) as error:
            house.accept(late)
        assert error.value.issues[0].code == Code.OLDER_THAN_HELD


def test_an_update_about_another_child_is_refused(house: House) -> None:
    message, other = a_message(11), a_message(12)
    house.accept(message)
    with pytest.raises(Refused) as error:
        house.accept(message.followed_by("update").for_child(number=other.number))
    assert error.value.issues[0].code == Code.UPDATE_OTHER_CHILD


def test_a_withdrawal_of_what_never_left_is_complete_at_once(house: House) -> None:
    message = a_message()
    first = house.accept(message)
    house.accept(message.followed_by("delete"))
    assert standing(house, first.notification_id) == [("new", "cancelled", STOCKTON), ("delete", "cancelled", STOCKTON)]
    assert send_out(house) == []


def test_a_withdrawal_follows_what_the_authority_may_have_seen_and_holds_no_identity(house: House) -> None:
    message = a_message()
    first = house.accept(message)
    send_out(house)
    house.accept(message.followed_by("delete"))
    assert standing(house, first.notification_id) == [("new", "superseded", STOCKTON), ("delete", "queued", STOCKTON)]
    (sent,) = send_out(house)
    document = json.loads(sent.document)
    assert document["event"] == "delete"
    assert document["envelopes"] == {}
    assert document["reference"] == first.reference


def test_a_withdrawal_is_not_refused_for_its_content(house: House) -> None:
    message = a_message()
    house.accept(message)
    house.accept(message.followed_by("delete").without("parent-informed").without("discussion-offered"))


def test_a_move_to_another_authority_withdraws_there_and_is_new_here(house: House) -> None:
    message = a_message()
    first = house.accept(message)
    send_out(house)
    house.accept(message.followed_by("update").for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
    assert standing(house, first.notification_id) == [
        ("new", "superseded", STOCKTON),
        ("delete", "queued", STOCKTON),
        ("new", "queued", MIDDLESBROUGH),
    ]
    documents = {item.authority: json.loads(item.document) for item in send_out(house)}
    old, new = documents[STOCKTON]["view"], documents[MIDDLESBROUGH]["view"]
    assert old["authority"] == STOCKTON
    assert new["authority"] == MIDDLESBROUGH
    assert old["child"] != new["child"]


def test_an_overtaken_delivery_can_no_longer_be_confirmed(house: House) -> None:
    message = a_message()
    house.accept(message)
    send_out(house)
    (waiting,) = collect.list_waiting(house.gateway, authority=STOCKTON, limit=10)
    house.accept(message.followed_by("update"))
    with pytest.raises(Conflict) as error:
        collect.fetch(house.gateway, authority=STOCKTON, delivery_id=waiting.id)
    assert error.value.issues[0].code == Code.DELIVERY_STATE
