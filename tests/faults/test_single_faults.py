# SPDX-License-Identifier: MIT
"""The short form of the fault table, and single faults beside it: a lost answer, a broker away, keys that protect nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from signal import SIGCONT, SIGSTOP
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from notify_gateway.cli.run import start_upkeep
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import deliveries, envelopes, messages, shred_keys
from notify_gateway.use_cases.maintain import ORPHAN_AFTER
from tests.faults.rows import ROWS, SHORT
from tests.faults.stand import PRESSED, Stand
from tests.faults.storm import COLLECTED_WITHIN, finished
from tests.faults.table import Row, as_json, line, try_row
from tests.faults.trial import Trial
from tests.support.messages import a_message
from tests.support.service import DELIVERED, PULL, WEBHOOK, Acceptance, RunningService, a_message_for
from tests.support.services import eventually


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One stand for all tests of this file: each counts only what is its own."""
    with Stand(tmp_path_factory.mktemp("stand"), lasting=2.5, pause=4, environment=PRESSED) as made:
        yield made


@pytest.fixture
def service(stand: Stand) -> RunningService:
    stand.forget()
    return stand.service


def states(service: RunningService, accepted: Sequence[Acceptance]) -> list[str]:
    """Return how the deliveries of these notifications stand, in order."""
    with reading(service.gateway.engine).begin() as connection:
        rows = connection.execute(select(deliveries.c.notification_id, deliveries.c.state)).all()
    found = {str(row.notification_id): row.state for row in rows}
    return [found[each.task_id] for each in accepted]


def all_leave(service: RunningService, accepted: Sequence[Acceptance], within: float = 20.0) -> None:
    eventually(lambda: set(states(service, accepted)) <= set(DELIVERED), within=within, what="all delivered")


def test_a_receiver_that_loses_its_answers_gets_the_same_bytes_again_and_applies_them_once(service: RunningService) -> None:
    service.receiver.answer = lambda post: 500 if post == 1 else 200
    accepted = [Acceptance.of(service.post(a_message_for(a_message(), WEBHOOK))) for _ in range(6)]
    all_leave(service, accepted)
    service.receiver.answer = lambda _: 200
    assert list(service.receiver.posts.values()) == [2] * 6
    assert len(service.receiver.applied) == 6
    assert not service.receiver.changed


def test_with_the_broker_away_messages_are_accepted_at_once_and_delivered_when_it_is_back(service: RunningService, stand: Stand) -> None:
    accepted, slowest = [], 0.0
    with stand.broker.down():
        for n in range(20):
            began = time.monotonic()
            accepted.append(Acceptance.of(service.post(a_message_for(a_message(), (PULL, WEBHOOK)[n % 2]), gateway=n)))
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 2
        assert states(service, accepted) == ["queued"] * 20
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
    assert states(service, [accepted[4]]) == ["queued"]
    service.collect_all()
    assert states(service, others) == ["acknowledged"] * 9
    with service.gateway.engine.begin() as connection:
        connection.execute(update(envelopes).where(card).values(stored=stored))
    all_leave(service, [accepted[4]])


def test_the_schedulers_upkeep_sweeps_shred_keys_that_protect_nothing_and_no_other(service: RunningService) -> None:
    kept = Acceptance.of(service.post(a_message()))
    orphan, young = uuid4(), uuid4()
    now = service.gateway.clock.now()
    with service.gateway.shred_engine.begin() as connection:
        rows = [(orphan, now - ORPHAN_AFTER * 2), (young, now)]
        connection.execute(shred_keys.insert(), [{"message_id": key, "key": b"k" * 32, "created_at": at} for key, at in rows])
        with reading(service.gateway.engine).begin() as main:
            mine = {young, *main.scalars(select(messages.c.id))}
        connection.execute(update(shred_keys).where(shred_keys.c.message_id.in_(mine - {young})).values(created_at=now - ORPHAN_AFTER * 2))

    def held() -> set[UUID]:
        with reading(service.gateway.shred_engine).begin() as connection:
            return set(connection.scalars(select(shred_keys.c.message_id)))

    stop = threading.Event()
    upkeep = start_upkeep(service.gateway, stop, every=0.05)
    eventually(lambda: orphan not in held(), within=10, what="the orphan swept")
    stop.set()
    upkeep.join(5)
    assert mine <= held()
    all_leave(service, [kept])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("row", [row for row in ROWS if row.name in SHORT], ids=lambda row: row.name)
def test_the_short_form_keeps_every_promise(stand: Stand, row: Row) -> None:
    outcome = try_row(stand, row, count=40, seconds=2.0)
    assert outcome.faults == []
    assert outcome.in_flight >= 40
    assert (outcome.sent, outcome.accepted, outcome.delivered, outcome.applied_twice, outcome.lost) == (60, 60, 60, 0, 0)
    assert outcome.log_verifies


def test_a_row_that_loses_or_doubles_one_fails_and_says_so(stand: Stand) -> None:
    def spoil(stand: Stand, trial: Trial) -> None:
        trial.strikes()
        trial.hurry()
        trial.wait_answered(1)
        trial.wait_all(finished, within=COLLECTED_WITHIN)
        first = next(str(row.id) for row in trial.standing().values() if row.authority == WEBHOOK)
        stand.receiver.applied["another"] = stand.receiver.applied[first]

    def lose(stand: Stand, trial: Trial) -> None:
        spoil(stand, trial)
        stand.receiver.applied.pop("another")
        stand.receiver.applied.popitem()

    spoilt = Row("spoilt", "", "", "hand", spoil)
    doubled, lost = (try_row(stand, replace(spoilt, inject=inject), count=8, seconds=0.5) for inject in (spoil, lose))
    early = try_row(stand, replace(spoilt, inject=lambda *_: None), count=8, seconds=0.5)
    assert early.faults == ["only 0 in flight when it struck"]
    assert (doubled.applied_twice, doubled.lost, doubled.log_verifies) == (1, 0, False)
    assert (lost.applied_twice, lost.lost, lost.log_verifies) == (0, 1, False)
    assert "FAILED: AssertionError" in line(lost)
    assert json.loads(as_json([lost]))[0]["lost"] == 1
