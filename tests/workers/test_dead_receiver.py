# SPDX-License-Identifier: MIT
"""One authority's receiver hangs: the others go at once, and its own go by themselves when it answers again. With the real outbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from notify_gateway.cli.outbox import DatabaseOutbox
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import onboard, operate
from tests.support.messages import a_message
from tests.support.services import PostgresServer, eventually
from tests.support.templates import Templates
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House, furnished
from tests.workers.receiver import Receiver
from workers.channels.signature import RequestSigner
from workers.embedded import EmbeddedWorkers
from workers.run import WorkerValues

WAITING, OTHERS = 300, 20
TIMEOUT = timedelta(seconds=4)


def running_from(instant: datetime) -> Callable[[], datetime]:
    since = time.monotonic()
    return lambda: instant + timedelta(seconds=time.monotonic() - since)


@pytest.fixture
def house(tmp_path: object, templates: Templates, postgres_server: PostgresServer) -> Iterator[House]:
    """A house on PostgreSQL whose clock runs."""
    for made in furnished(tmp_path, templates, postgres_server):  # type: ignore[arg-type]
        made.clock.now = running_from(made.clock.instant)  # type: ignore[method-assign]
        yield made


def received(house: House, authority: str) -> int:
    d = deliveries.c
    with reading(house.gateway.engine).begin() as connection:
        counted = select(func.count()).select_from(deliveries).where(d.authority == authority, d.state == "received")
        return connection.scalar(counted) or 0


@pytest.mark.long
def test_a_receiver_that_hangs_holds_up_nobody_else_and_is_tried_again_by_itself(
    house: House, receiver: Receiver, signer: RequestSigner
) -> None:
    for gss, path in ((STOCKTON, "hang"), (MIDDLESBROUGH, "good")):
        route = {"url": receiver.url(path)}
        onboard.register_authority(house.gateway, gss=gss, custody="authority-held", channel="webhook", route=route, actor="test")
    receiver.keep_requests = False
    for _ in range(WAITING):
        house.accept(a_message())
    values = WorkerValues(broker_url="memory://", signer=signer, webhook_allow_private=True, webhook_timeout=TIMEOUT, clock=house.clock)
    workers = EmbeddedWorkers(lambda: DatabaseOutbox(house.gateway), values)
    workers.start()
    with closing(_Stopped(workers)):
        eventually(lambda: receiver.under_way >= house.gateway.settings.most_under_way)
        for _ in range(OTHERS):
            house.accept(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
        begun = time.monotonic()
        eventually(lambda: received(house, MIDDLESBROUGH) == OTHERS)
        assert time.monotonic() - begun < TIMEOUT.total_seconds() / 2
        assert received(house, STOCKTON) == 0
        eventually(lambda: operate.list_flows(house.gateway, authority=STOCKTON)[0].circuit.is_open)
        assert max(receiver.posts.values()) == 1
        receiver.healed.add("hang")
        eventually(lambda: received(house, STOCKTON) == WAITING, within=40)
    assert not operate.list_flows(house.gateway, authority=STOCKTON)[0].circuit.is_open


class _Stopped:
    def __init__(self, workers: EmbeddedWorkers) -> None:
        self.close = workers.stop
