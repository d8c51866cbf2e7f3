# SPDX-License-Identifier: MIT
"""Alerts from the service as it runs, in one process and in five: word comes of what waits, and it goes on waiting."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from notify_gateway.domain.alerts import AlertKind
from notify_gateway.use_cases import alert
from tests.support.messages import a_message
from tests.support.service import PULL, Acceptance, RunningService, a_message_for
from tests.support.waiting import eventually
from tests.workers.receiver import Receiver


@pytest.fixture
def receiver(service: RunningService) -> Iterator[Receiver]:
    running = Receiver()
    address = {"authority": PULL, "kind": AlertKind.WEBHOOK, "address": running.url(), "actor": "test"}
    alert.add_address(service.gateway, **address)  # type: ignore[arg-type]
    yield running
    alert.remove_address(service.gateway, **address)  # type: ignore[arg-type]
    running.close()


def test_something_that_waits_is_told_by_whoever_runs_the_schedule(service: RunningService, receiver: Receiver) -> None:
    accepted = Acceptance.of(service.post(a_message_for(a_message(), PULL).bytes()))
    delivery = service.offered(accepted.reference)
    told = eventually(
        lambda: next((each for *_, body in receiver.requests if (each := orjson.loads(body))["delivery_id"] == delivery), None),
        what="the alert",
    )
    assert told["event"] == "something-waits"
    assert told["link"] == f"{service.base_url}/authority/v1/deliveries/{delivery}"
    assert service.authority("GET", f"deliveries/{delivery}/state").json()["state"] == "offered"
