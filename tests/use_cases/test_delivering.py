# SPDX-License-Identifier: MIT
"""Delivering: leases, retries, and one effect however often a delivery is handled."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import random
from uuid import UUID

import pytest
from sqlalchemy import func, select

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.domain.errors import Conflict, NotFound
from notify_gateway.domain.outbox_policy import back_off
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.store import tables
from notify_gateway.store.engine import reading
from notify_gateway.use_cases import collect, deliver
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House


def due(house: House) -> list[UUID]:
    return [UUID(i) for hint in deliver.find_due(house.gateway) for i in hint.ids]


def begin(house: House, ids: list[UUID], owner: str = "one") -> list[Outgoing]:
    return deliver.begin_attempts(house.gateway, ids, owner=owner)


def finish(house: House, outgoing: Outgoing, outcome: AttemptOutcome, *, owner: str = "one", retry_after: float | None = None) -> None:
    digest = hashlib.sha256(outgoing.document).hexdigest()
    result = AttemptResult(outgoing.delivery_id, outgoing.attempt, outcome, "http-503", retry_after, digest)
    deliver.finish_attempts(house.gateway, [result], owner=owner)


def row(house: House):
    with house.gateway.engine.begin() as connection:
        return connection.execute(select(tables.deliveries)).one()


def to_middlesbrough():
    return a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH)


def test_hints_carry_ids_of_one_authority_and_channel_and_no_more_than_a_batch(house: House) -> None:
    for _ in range(5):
        house.accept(a_message())
    house.accept(to_middlesbrough())
    hints = deliver.find_due(house.gateway, batch=2)
    assert sorted((hint.authority, hint.channel, len(hint.ids)) for hint in hints) == [
        (MIDDLESBROUGH, "webhook", 1),
        (STOCKTON, "pull", 1),
        (STOCKTON, "pull", 2),
        (STOCKTON, "pull", 2),
    ]


def test_a_lost_hint_is_given_again_after_a_while(house: House) -> None:
    house.accept(a_message())
    assert len(due(house)) == 1
    assert due(house) == []
    house.clock.move(house.gateway.settings.rehint_after + timedelta(milliseconds=1))
    assert len(due(house)) == 1


def test_two_workers_with_the_same_ids_make_one_attempt_each_delivery(house: House) -> None:
    for _ in range(10):
        house.accept(a_message())
    ids = due(house)
    with ThreadPoolExecutor(6) as pool:
        claimed = list(pool.map(lambda owner: begin(house, ids, str(owner)), range(6)))
    assert sorted(item.delivery_id for group in claimed for item in group) == sorted(ids)


def test_the_attempt_is_in_the_log_before_anything_goes_out(house: House) -> None:
    house.accept(a_message())
    ids = due(house)
    before = house.count(tables.audit_tables.pending)
    begin(house, ids)
    assert house.count(tables.audit_tables.pending) == before + 1


def test_the_document_is_the_same_at_each_attempt(house: House) -> None:
    house.accept(to_middlesbrough())
    (first,) = begin(house, due(house))
    finish(house, first, AttemptOutcome.RETRY)
    house.clock.move(timedelta(hours=1))
    (second,) = begin(house, due(house))
    assert second.document == first.document
    assert second.attempt == 2


def test_a_dead_worker_s_delivery_is_free_when_its_lease_ends_and_a_living_one_s_is_not(house: House) -> None:
    house.accept(to_middlesbrough())
    ids = due(house)
    begin(house, ids, "one")
    house.clock.move(house.gateway.settings.lease - timedelta(seconds=1))
    deliver.renew_leases(house.gateway, ids, owner="one")
    house.clock.move(timedelta(seconds=2))
    assert begin(house, ids, "two") == []
    house.clock.move(house.gateway.settings.lease)
    assert len(begin(house, ids, "two")) == 1


def test_a_failure_counts_only_from_the_worker_that_holds_the_lease_but_a_receipt_from_anyone(house: House) -> None:
    house.accept(to_middlesbrough())
    ids = due(house)
    (lost,) = begin(house, ids, "one")
    house.clock.move(house.gateway.settings.lease + timedelta(seconds=1))
    begin(house, ids, "two")
    finish(house, lost, AttemptOutcome.RETRY, owner="one")
    assert row(house).lease_owner == "two"
    finish(house, lost, AttemptOutcome.RECEIVED, owner="one")
    assert row(house).state == "received"
    assert row(house).received_event is not None


def test_retries_wait_longer_each_time_within_bounds_and_honour_retry_after(house: House) -> None:
    first, most = house.gateway.settings.retry_first, house.gateway.settings.retry_most
    for attempts in range(1, 40):
        delay = back_off(attempts, first=first, most=most, chance=random())
        assert first / 2 <= delay <= most
    house.accept(to_middlesbrough())
    (item,) = begin(house, due(house))
    finish(house, item, AttemptOutcome.RETRY, retry_after=300)
    assert row(house).due_at == house.clock.now() + timedelta(seconds=300)
    assert row(house).last_code == "http-503"


def test_a_received_delivery_is_never_sent_again(house: House) -> None:
    house.accept(to_middlesbrough())
    ids = due(house)
    (item,) = begin(house, ids)
    finish(house, item, AttemptOutcome.RECEIVED)
    finish(house, item, AttemptOutcome.RETRY)
    house.clock.move(timedelta(days=1))
    assert begin(house, ids) == []
    assert due(house) == []


@pytest.fixture
def offered(house: House) -> UUID:
    house.accept(a_message())
    (item,) = begin(house, due(house))
    finish(house, item, AttemptOutcome.OFFERED)
    return item.delivery_id


def test_each_live_key_opens_what_is_fetched_and_fetching_is_not_receiving(house: House, offered: UUID) -> None:
    import json

    document = collect.fetch(house.gateway, authority=STOCKTON, delivery_id=offered)
    for key in house.keys[STOCKTON]:
        assert open_delivery(json.loads(document), key, house.runtime.public.gateway).original is not None
    assert row(house).state == "offered"


def test_receiving_needs_the_digest_of_the_document_and_happens_once(house: House, offered: UUID) -> None:
    document = collect.fetch(house.gateway, authority=STOCKTON, delivery_id=offered)
    with pytest.raises(Conflict):
        collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=offered, digest=bytes(32))
    with pytest.raises(Conflict) as error:
        collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=offered)
    assert error.value.issues[0].code == Code.DELIVERY_STATE
    digest = hashlib.sha256(document).digest()
    first = collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=offered, digest=digest)
    house.clock.move(timedelta(minutes=1))
    assert collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=offered, digest=digest) == first
    acknowledged = collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=offered)
    house.clock.move(timedelta(minutes=1))
    assert collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=offered) == acknowledged


def test_an_authority_sees_its_own_deliveries_only(house: House, offered: UUID) -> None:
    assert collect.list_waiting(house.gateway, authority=MIDDLESBROUGH, limit=10) == []
    for act in (collect.fetch, collect.acknowledge, collect.receipt_events):
        with pytest.raises(NotFound):
            act(house.gateway, authority=MIDDLESBROUGH, delivery_id=offered)


def test_the_list_is_read_page_by_page_without_gap_or_repeat(house: House) -> None:
    for _ in range(7):
        house.accept(a_message())
    for item in begin(house, due(house)):
        finish(house, item, AttemptOutcome.OFFERED)
    seen: list[UUID] = []
    while page := collect.list_waiting(house.gateway, authority=STOCKTON, limit=3, after=seen[-1] if seen else None):
        seen += [item.id for item in page]
    assert len(seen) == len(set(seen)) == 7


def test_what_was_erased_goes_out_with_its_view_alone(house: House, offered: UUID) -> None:
    import json

    from notify_gateway.store import shred

    shred.forget(house.gateway.shred_engine, [row(house).message_id])
    document = json.loads(collect.fetch(house.gateway, authority=STOCKTON, delivery_id=offered))
    assert document["envelopes"] == {}
    assert document["view"]["authority"] == STOCKTON


def test_a_hint_holds_no_more_than_may_be_loaded_together(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        house.accept(a_message())
    with reading(house.gateway.engine).begin() as connection:
        sizes = [
            row[0]
            for row in connection.execute(select(func.sum(func.length(tables.envelopes.c.stored))).group_by(tables.envelopes.c.message_id))
        ]
    monkeypatch.setattr(deliver, "MOST_LOADED", 2 * max(sizes))
    assert [len(hint.ids) for hint in deliver.find_due(house.gateway)] == [2, 2, 1]


def test_a_delivery_larger_than_what_may_be_loaded_together_goes_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        house.accept(a_message())
    monkeypatch.setattr(deliver, "MOST_LOADED", 1)
    assert [len(hint.ids) for hint in deliver.find_due(house.gateway)] == [1, 1]
