# SPDX-License-Identifier: MIT
"""The inbox as a custody channel: received at once, taken up through every state, and out of reach of the calls of a system."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date
from uuid import UUID

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotFound
from notify_gateway.store.tables import case_tables
from notify_gateway.use_cases import collect, deliver, feedback
from notify_gateway.use_cases.inbox.catch_up import catch_up
from tests.support.messages import a_message
from tests.use_cases.casework import carry, put_on
from tests.use_cases.conftest import STOCKTON, House
from workers.channels.pull import PullChannel


def waiting(house: House, *, inbox: bool) -> list[UUID]:
    return [each.id for each in collect.list_waiting(house.gateway, authority=STOCKTON, limit=10, inbox=inbox)]


def receive(house: House, delivery: UUID, *, inbox: bool) -> str:
    document = collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery, inbox=inbox)
    digest = hashlib.sha256(document).digest()
    return collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=delivery, digest=digest, inbox=inbox).state


def state(house: House, delivery: UUID) -> str:
    return collect.state_of(house.gateway, authority=STOCKTON, delivery_id=delivery).state


def test_what_the_inbox_has_goes_through_every_state(house: House) -> None:
    put_on(house, STOCKTON)
    house.accept(a_message())
    [delivery] = carry(house)
    assert state(house, delivery) == "received", "its own pages are the receiver, and they have it"
    assert waiting(house, inbox=True) == waiting(house, inbox=False) == []
    assert collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=delivery).state == "acknowledged"
    on = date(2026, 11, 20)
    assert feedback.record_contact(house.gateway, authority=STOCKTON, delivery_id=delivery, on=on).state == "contacted"


def test_a_system_s_calls_find_nothing_in_the_inbox_and_the_inbox_nothing_of_theirs(house: House) -> None:
    house.accept(a_message())
    [pulled] = carry(house)
    put_on(house, STOCKTON)
    house.accept(a_message())
    [in_inbox] = carry(house)
    assert (waiting(house, inbox=False), waiting(house, inbox=True)) == ([pulled], []), "each stays where it was offered"
    for delivery, inbox in ((in_inbox, False), (pulled, True)):
        with pytest.raises(NotFound) as missing:
            collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery, inbox=inbox)
        assert missing.value.issues[0].code == Code.DELIVERY_UNKNOWN
        with pytest.raises(NotFound):
            collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=delivery, digest=bytes(32), inbox=inbox)
    assert receive(house, pulled, inbox=False) == "received"
    assert house.count(case_tables.cases) == 1, "what is pulled is no case"


def test_what_was_offered_before_the_inbox_had_pages_is_taken_in_once(house: House) -> None:
    put_on(house, STOCKTON)
    for _ in range(2):
        house.accept(a_message())
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    outgoing = deliver.begin_attempts(house.gateway, ids, owner="one")
    # What a worker did that knew no pages.
    results = [result for each in outgoing for result in asyncio.run(PullChannel().send([each]))]
    deliver.finish_attempts(house.gateway, results, owner="one")
    assert (len(waiting(house, inbox=True)), house.count(case_tables.cases)) == (2, 0)
    assert [catch_up(house.gateway), catch_up(house.gateway)] == [2, 0]
    assert {state(house, each) for each in ids} == {"received"}
    assert house.count(case_tables.cases) == house.count(case_tables.events) == 2
    deliver.finish_attempts(house.gateway, results, owner="one")
    assert house.count(case_tables.cases) == 2, "a result that comes late changes nothing"
