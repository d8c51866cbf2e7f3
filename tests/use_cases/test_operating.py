# SPDX-License-Identifier: MIT
"""What operators see of the outbox and do to it: groups by cause, retry of all that match, park, give up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from notify_gateway.api.task_answers import task
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import Conflict, NotFound
from notify_gateway.domain.operating import GiveUpReason, NotRetried, ParkReason, RetryReason, Standing
from notify_gateway.domain.outbox_policy import Owner
from notify_gateway.store import tables
from notify_gateway.store.operating import Matching
from notify_gateway.use_cases import collect, deliver, operate, track
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House
from tests.use_cases.test_outbox_policy import OPERATOR, attempt, due, end, to_middlesbrough, told

MENDED = RetryReason.RECEIVER_MENDED


def retry(house: House, matching: Matching, *, dry_run: bool = False) -> tuple[int, int, dict[NotRetried, int]]:
    done = operate.retry_matching(house.gateway, matching=matching, reason=MENDED, actor=OPERATOR, dry_run=dry_run)
    assert done.dry_run is dry_run
    return done.count, done.held, dict(done.left)


def test_failed_work_is_grouped_by_its_cause_and_all_that_match_are_retried_once(house: House) -> None:
    for _ in range(3):
        house.accept(to_middlesbrough())
    attempt(house, "http-422")
    house.clock.move(timedelta(hours=1))
    ids = due(house)
    going = deliver.begin_attempts(house.gateway, ids, owner="w")
    end(house, going[:1], "http-413")
    end(house, going[1:], "http-422")
    assert operate.park(house.gateway, delivery_id=ids[0], reason=ParkReason.TRUST_ASKED, actor=OPERATOR)
    assert not operate.park(house.gateway, delivery_id=ids[0], reason=ParkReason.TRUST_ASKED, actor=OPERATOR)
    house.accept(to_middlesbrough())
    groups = operate.list_troubles(house.gateway)
    assert sum(group.count for group in groups) == 3
    parked = next(group for group in groups if group.standing is Standing.PARKED)
    assert (parked.code, parked.owner, parked.count, parked.next_due_at) == ("trust-asked", Owner.TRUST, 1, None)
    assert {group.owner for group in groups} == {Owner.TRUST, Owner.AUTHORITY}
    assert all(group.oldest_at == house.clock.now() - timedelta(hours=1) for group in groups)
    (flow,) = operate.list_flows(house.gateway, authority=MIDDLESBROUGH)
    assert (flow.flow.waiting, flow.flow.failing, flow.flow.parked, flow.flow.under_way) == (1, 2, 1, 0)
    everything = Matching(authority=MIDDLESBROUGH)
    assert retry(house, everything, dry_run=True) == (3, 0, {NotRetried.NOTHING_WRONG: 1})
    assert retry(house, Matching(code="trust-asked")) == (1, 0, {})
    assert retry(house, everything) == (2, 0, {NotRetried.NOTHING_WRONG: 2})
    assert retry(house, everything) == (0, 0, {NotRetried.NOTHING_WRONG: 4})
    assert operate.list_troubles(house.gateway) == []
    assert Counter(event.fields["reason"] for event in told(house, "delivery:requeued")) == {MENDED: 3}
    assert attempt(house) == 4
    (flow,) = operate.list_flows(house.gateway, authority=MIDDLESBROUGH)
    assert (flow.flow.last_received_at, flow.flow.oldest_at) == (house.clock.now(), None)


def test_what_is_not_retried_is_told_with_the_reason(house: House) -> None:
    for _ in range(3):
        house.accept(to_middlesbrough())
    failing, done, under_way = due(house)
    end(house, deliver.begin_attempts(house.gateway, [failing], owner="w"), "http-500")
    end(house, deliver.begin_attempts(house.gateway, [done], owner="w"))
    deliver.begin_attempts(house.gateway, [under_way], owner="w")
    asked = Matching(ids=(failing, done, under_way, uuid4()))
    left = {NotRetried.UNKNOWN: 1, NotRetried.UNDER_WAY: 1, NotRetried.ENDED: 1}
    assert retry(house, asked, dry_run=True) == retry(house, asked) == (1, 0, left)
    acts: tuple[Callable[..., bool], ...] = (
        partial(operate.park, reason=ParkReason.UNDER_INQUIRY),
        partial(operate.give_up, reason=GiveUpReason.DAMAGED),
    )
    for act in acts:
        for delivery in (under_way, done):
            with pytest.raises(Conflict) as error:
                act(house.gateway, delivery_id=delivery, actor=OPERATOR)
            assert error.value.issues[0].code == Code.DELIVERY_STATE
        with pytest.raises(NotFound):
            act(house.gateway, delivery_id=uuid4(), actor=OPERATOR)


def test_a_retry_towards_an_authority_that_does_not_answer_waits_for_its_circuit(house: House) -> None:
    for _ in range(house.gateway.settings.circuit_after):
        house.accept(to_middlesbrough())
    attempt(house, "unresolved")
    (flow,) = operate.list_flows(house.gateway, authority=MIDDLESBROUGH)
    assert (flow.circuit.is_open, flow.circuit.last_code) == (True, "unresolved")
    assert retry(house, Matching(code="unresolved")) == (5, 5, {})
    assert due(house) == []


def test_the_trust_sees_what_was_given_up_and_the_authority_no_longer_does(house: House) -> None:
    message = a_message()
    accepted = house.accept(message)
    assert attempt_offered(house) == 1
    (item,) = operate.list_deliveries(house.gateway, matching=Matching(standing=Standing.OFFERED))
    assert (item.notification_id, item.attempts, item.owner) == (accepted.notification_id, 1, None)
    house.clock.move(timedelta(days=3))
    assert operate.give_up(house.gateway, delivery_id=item.id, reason=GiveUpReason.AUTHORITY_UNABLE, actor=OPERATOR)
    assert not operate.give_up(house.gateway, delivery_id=item.id, reason=GiveUpReason.AUTHORITY_UNABLE, actor=OPERATOR)
    with pytest.raises(NotFound):
        collect.fetch(house.gateway, authority=STOCKTON, delivery_id=item.id)
    stands = track.where_it_stands(house.gateway, client=house.trust, notification_id=accepted.notification_id)
    shown = task(stands, sender_ods="RXX")
    assert (shown["status"], shown["businessStatus"]["coding"][0]["code"]) == ("failed", "given-up")
    assert [output["type"]["coding"][0]["code"] for output in shown["output"]] == ["offered", "given-up"]
    assert shown["lastModified"].startswith("2026-11-23")
    since = track.Changed(house.clock.now(), None, 10)
    assert [each.id for each in track.changed(house.gateway, client=house.trust, asked=since).found] == [accepted.notification_id]
    assert [event.fields["reason"] for event in told(house, "delivery:given_up")] == ["authority-unable"]
    house.accept(message.followed_by("update"))
    assert attempt_offered(house) == 1


def attempt_offered(house: House) -> int:
    going = deliver.begin_attempts(house.gateway, due(house), owner="w")
    results = [AttemptResult(each.delivery_id, each.attempt, AttemptOutcome.OFFERED, "offered") for each in going]
    deliver.finish_attempts(house.gateway, results, owner="w")
    return len(going)


def test_postgresql_refuses_to_park_or_move_without_an_event(house: House) -> None:
    if house.gateway.engine.dialect.name != "postgresql":
        return
    house.accept(a_message())
    for change in ({"parked_at": house.clock.now(), "parked_code": "x"}, {"channel": "webhook"}, {"given_up_at": house.clock.now()}):
        with pytest.raises(IntegrityError), house.gateway.engine.begin() as connection:
            connection.execute(update(tables.deliveries).values(change))
