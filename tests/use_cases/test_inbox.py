# SPDX-License-Identifier: MIT
"""The inbox as a custody channel: offered at once, taken up by officers through every state, and out of reach of the calls of a system."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotFound
from notify_gateway.use_cases import collect, deliver, feedback, onboard
from tests.support.messages import a_message
from tests.use_cases.conftest import STOCKTON, House
from workers.channels.signature import RequestSigner
from workers.run import WorkerValues, make_channels


def put_on(house: House, channel: str) -> None:
    onboard.register_authority(house.gateway, gss=STOCKTON, custody="authority-held", channel=channel, actor="test")


def carry(house: House) -> list[UUID]:
    """Do what a worker does, with the channels that it has."""
    channels = make_channels(WorkerValues(broker_url="memory://", signer=RequestSigner("k", Ed25519PrivateKey.generate())))
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    outgoing = deliver.begin_attempts(house.gateway, ids, owner="one")
    results = [result for each in outgoing for result in asyncio.run(channels[each.channel].send([each]))]
    deliver.finish_attempts(house.gateway, results, owner="one")
    return [each.delivery_id for each in outgoing]


def waiting(house: House, *, inbox: bool) -> list[UUID]:
    return [each.id for each in collect.list_waiting(house.gateway, authority=STOCKTON, limit=10, inbox=inbox)]


def receive(house: House, delivery: UUID, *, inbox: bool) -> str:
    document = collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery, inbox=inbox)
    digest = hashlib.sha256(document).digest()
    return collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=delivery, digest=digest, inbox=inbox).state


def test_what_the_inbox_has_goes_through_every_state(house: House) -> None:
    put_on(house, "inbox")
    house.accept(a_message())
    [delivery] = carry(house)
    assert waiting(house, inbox=True) == [delivery], "offered at the first attempt"
    assert receive(house, delivery, inbox=True) == "received"
    assert waiting(house, inbox=True) == []
    assert collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=delivery).state == "acknowledged"
    on = date(2026, 11, 20)
    assert feedback.record_contact(house.gateway, authority=STOCKTON, delivery_id=delivery, on=on).state == "contacted"


def test_a_system_s_calls_find_nothing_in_the_inbox_and_the_inbox_nothing_of_theirs(house: House) -> None:
    house.accept(a_message())
    [pulled] = carry(house)
    put_on(house, "inbox")
    house.accept(a_message())
    [in_inbox] = carry(house)
    assert (waiting(house, inbox=False), waiting(house, inbox=True)) == ([pulled], [in_inbox]), "each stays where it was offered"
    for delivery, inbox in ((in_inbox, False), (pulled, True)):
        with pytest.raises(NotFound) as missing:
            collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery, inbox=inbox)
        assert missing.value.issues[0].code == Code.DELIVERY_UNKNOWN
        with pytest.raises(NotFound):
            collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=delivery, digest=bytes(32), inbox=inbox)
    assert receive(house, pulled, inbox=False) == receive(house, in_inbox, inbox=True) == "received"
