# SPDX-License-Identifier: MIT
"""Single faults that a storm hardly hits: a lost answer, a broker away, a damaged envelope, keys that protect nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from signal import SIGCONT, SIGSTOP
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from notify_gateway.cli.run import start_upkeep
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import deliveries, envelopes, shred_keys
from notify_gateway.use_cases.maintain import ORPHAN_AFTER
from tests.support.messages import a_message
from tests.support.service import DELIVERED, PULL, WEBHOOK, Acceptance, RunningService, a_message_for
from tests.support.services import PostgresServer, PrivateRedis, eventually


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateRedis]:
    """A Redis to kill."""
    server = PrivateRedis()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer, broker: PrivateRedis) -> Iterator[RunningService]:
    """One service for all tests of this file: each counts only what is its own."""
    folder = tmp_path_factory.mktemp("service") / "it"
    with (
        postgres_server.database() as main,
        postgres_server.database() as shred,
        RunningService(folder, database_url=main, shred_url=shred, broker_url=broker.url) as running,
    ):
        yield running


def stand(service: RunningService, accepted: Sequence[Acceptance]) -> list[str]:
    """Return how the deliveries of these notifications stand, in order."""
    with reading(service.gateway.engine).begin() as connection:
        rows = connection.execute(select(deliveries.c.notification_id, deliveries.c.state)).all()
    states = {str(row.notification_id): row.state for row in rows}
    return [states[each.task_id] for each in accepted]


def all_leave(service: RunningService, accepted: Sequence[Acceptance], within: float = 20.0) -> None:
    eventually(lambda: set(stand(service, accepted)) <= set(DELIVERED), within=within, what="all delivered")


def test_a_receiver_that_loses_its_answers_gets_the_same_bytes_again_and_applies_them_once(service: RunningService) -> None:
    service.receiver.answer = lambda post: 500 if post == 1 else 200
    accepted = [Acceptance.of(service.post(a_message_for(a_message(), WEBHOOK))) for _ in range(6)]
    all_leave(service, accepted)
    service.receiver.answer = lambda _: 200
    assert list(service.receiver.posts.values()) == [2] * 6
    assert len(service.receiver.applied) == 6
    assert not service.receiver.changed


def test_with_the_broker_away_messages_are_accepted_at_once_and_delivered_when_it_is_back(
    service: RunningService, broker: PrivateRedis
) -> None:
    broker.kill9()
    accepted, slowest = [], 0.0
    for n in range(20):
        began = time.monotonic()
        accepted.append(Acceptance.of(service.post(a_message_for(a_message(), (PULL, WEBHOOK)[n % 2]), gateway=n)))
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 2
    assert stand(service, accepted) == ["queued"] * 20
    broker.restart()
    all_leave(service, accepted, within=40)


def test_a_stored_envelope_that_is_damaged_holds_up_nothing_but_itself(service: RunningService) -> None:
    service.processes["scheduler"].signal(SIGSTOP)  # so that all of them meet in one task
    accepted = [Acceptance.of(service.post(a_message())) for _ in range(10)]
    mine = select(deliveries.c.message_id).where(deliveries.c.notification_id == UUID(accepted[4].task_id)).scalar_subquery()
    card = (envelopes.c.message_id == mine) & (envelopes.c.kind == "card")
    with service.gateway.engine.begin() as connection:
        stored = bytes(connection.execute(select(envelopes.c.stored).where(card)).scalar_one())
        connection.execute(update(envelopes).where(card).values(stored=stored[:-1] + bytes([stored[-1] ^ 1])))
    service.processes["scheduler"].signal(SIGCONT)
    others = [each for each in accepted if each is not accepted[4]]
    all_leave(service, others, within=40)
    assert stand(service, [accepted[4]]) == ["queued"]
    service.collect_all()
    assert stand(service, others) == ["acknowledged"] * 9


def test_the_schedulers_upkeep_sweeps_shred_keys_that_protect_nothing_and_no_other(service: RunningService) -> None:
    kept = Acceptance.of(service.post(a_message()))
    orphan, young = uuid4(), uuid4()
    now = service.gateway.clock.now()
    with service.gateway.shred_engine.begin() as connection:
        rows = [(orphan, now - ORPHAN_AFTER * 2), (young, now)]
        connection.execute(shred_keys.insert(), [{"message_id": key, "key": b"k" * 32, "created_at": at} for key, at in rows])
        mine = set(connection.scalars(select(shred_keys.c.message_id))) - {orphan}
        connection.execute(update(shred_keys).where(shred_keys.c.message_id.in_(mine - {young})).values(created_at=now - ORPHAN_AFTER * 2))

    def held() -> set[UUID]:
        with reading(service.gateway.shred_engine).begin() as connection:
            return set(connection.scalars(select(shred_keys.c.message_id)))

    stop = threading.Event()
    upkeep = start_upkeep(service.gateway, stop, every=0.05)
    eventually(lambda: orphan not in held(), within=10, what="the orphan swept")
    stop.set()
    upkeep.join(5)
    assert held() == mine
    all_leave(service, [kept])
