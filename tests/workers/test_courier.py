# SPDX-License-Identifier: MIT
"""The courier, dispatcher, watchdog and embedded workers over an outbox in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.delivery import AttemptResult, Hint, Outgoing
from tests.support.services import eventually
from tests.workers.memory_outbox import MemoryOutbox
from tests.workers.receiver import Receiver
from workers.channels.pull import PullChannel
from workers.channels.signature import RequestSigner
from workers.courier import LANES, Courier
from workers.dispatcher import ENOUGH_WAITING, Dispatcher
from workers.embedded import EmbeddedWorkers
from workers.pulse import Pulse
from workers.run import WorkerValues, make_channels
from workers.watchdog import Watchdog


class BrokenChannel(PullChannel):
    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        raise RuntimeError("Ada Example")


@pytest.fixture
def values(signer: RequestSigner) -> WorkerValues:
    return WorkerValues(broker_url="memory://", signer=signer, webhook_allow_private=True)


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


@pytest.fixture
def courier(outbox: MemoryOutbox, values: WorkerValues) -> Iterator[Courier]:
    channels = {**make_channels(values), "broken": BrokenChannel()}
    running = Courier(outbox, channels, lease=timedelta(seconds=0.6))
    yield running
    running.close()


def test_a_task_that_runs_twice_at_once_has_one_effect(outbox: MemoryOutbox, courier: Courier, receiver: Receiver) -> None:
    ids = outbox.add(20, url=receiver.url("slow"))
    with ThreadPoolExecutor(4) as threads:
        counts = sorted(threads.map(courier.deliver, [ids] * 4))
    assert counts == [0, 0, 0, 20]
    eventually(lambda: outbox.open() == 0)
    assert set(receiver.posts.values()) == {1}
    assert outbox.renewals > 0


class GatedChannel(PullChannel):
    """Answers once the gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        await asyncio.get_running_loop().run_in_executor(None, self.gate.wait)
        return await super().send(batch)


def test_what_takes_long_gives_its_slot_back_and_is_recorded_when_it_ends(outbox: MemoryOutbox) -> None:
    slow = GatedChannel()
    courier = Courier(outbox, {"slow": slow, "pull": PullChannel()}, lease=timedelta(seconds=0.6), hold=timedelta(milliseconds=20))
    ids = [outbox.add(3, channel="slow") for _ in range(LANES)]
    assert [courier.deliver(each) for each in ids] == [3] * LANES
    courier.deliver(outbox.add(5, channel="pull"))
    assert outbox.open() == 3 * LANES
    eventually(lambda: outbox.renewals >= LANES)
    with ThreadPoolExecutor(1) as slot:
        more = slot.submit(courier.deliver, outbox.add(channel="slow"))  # no lane is left, so it holds its slot
        eventually(lambda: outbox.renewals >= 3 * LANES)
        assert not more.done()
        slow.gate.set()
    courier.see_out(timedelta(seconds=10))
    assert outbox.open() == 0
    courier.close()


def test_a_broken_or_unknown_channel_leaves_the_rest_alone(outbox: MemoryOutbox, courier: Courier, receiver: Receiver) -> None:
    ids = [*outbox.add(url=receiver.url()), *outbox.add(channel="broken"), *outbox.add(channel="pigeon"), *outbox.add(channel="pull")]
    courier.deliver(ids)
    assert [outbox.rows[each].code for each in ids] == ["received", "channel-failed", "channel-unknown", "offered"]


def test_results_survive_a_database_that_is_away_for_a_moment(outbox: MemoryOutbox, courier: Courier) -> None:
    outbox.fail_finish = 2
    ids = outbox.add(channel="pull")
    courier.deliver(ids)
    assert outbox.rows[ids[0]].state == "offered"


def test_what_is_tried_again_is_logged_by_its_kind_alone(outbox: MemoryOutbox, courier: Courier, monkeypatch: pytest.MonkeyPatch) -> None:
    finish, spoilt = outbox.finish, ["a row that names a child"]

    def faulty(results: Sequence[AttemptResult], *, owner: str) -> None:
        if spoilt:
            raise ValueError(spoilt.pop())
        finish(results, owner=owner)

    monkeypatch.setattr(outbox, "finish", faulty)
    with capture_logs() as logs:
        courier.deliver(outbox.add(channel="pull"))
    assert [(line["event"], line.get("error")) for line in logs][:1] == [("retry", "ValueError")]
    assert "child" not in repr(logs)


def test_deliveries_go_on_from_task_to_task(outbox: MemoryOutbox, courier: Courier, receiver: Receiver) -> None:
    for _ in range(3):
        courier.deliver(outbox.add(url=receiver.url()))
    assert outbox.open() == 0


class Hints(list[Hint]):
    def hint(self, hints: Sequence[Hint]) -> bool:
        self.extend(hints)
        return True


def test_the_dispatcher_hints_fat_batches_once(outbox: MemoryOutbox) -> None:
    outbox.add(130, channel="pull")
    hints = Hints()
    dispatcher = Dispatcher(outbox, hints, SystemClock(), threading.Event())
    assert (dispatcher.look(), dispatcher.look()) == (130, 0)
    assert [len(hint.ids) for hint in hints] == [64, 64, 2]


def test_the_dispatcher_holds_back_while_the_broker_has_plenty(outbox: MemoryOutbox) -> None:
    outbox.add(10, channel="pull")
    hints = Hints()
    assert Dispatcher(outbox, hints, SystemClock(), threading.Event(), waiting=lambda: ENOUGH_WAITING).look() == 0
    assert Dispatcher(outbox, hints, SystemClock(), threading.Event()).look() == 10


@pytest.mark.parametrize(("waiting", "running", "ends"), [(1, False, True), (0, False, False), (1, True, False), (None, False, False)])
def test_the_watchdog_ends_only_a_worker_that_takes_nothing_while_hints_wait(waiting: int | None, running: bool, ends: bool) -> None:
    def length() -> int:
        if waiting is None:
            raise ConnectionError
        return waiting

    ended, pulse = threading.Event(), Pulse()
    watchdog = Watchdog(length, pulse, patience=0.3, end=ended.set)
    if running:
        with pulse.task():
            watchdog.start()
            assert ended.wait(0.8) is ends
            watchdog.stop()
        return
    watchdog.start()
    assert ended.wait(0.8) is ends
    watchdog.stop()


def test_the_embedded_workers_deliver_and_start_again(outbox: MemoryOutbox, values: WorkerValues, receiver: Receiver) -> None:
    for _ in range(2):
        embedded = EmbeddedWorkers(lambda: outbox, values)
        embedded.start()
        outbox.add(100, url=receiver.url())
        outbox.add(10, channel="pull")
        embedded.wake()
        eventually(lambda: outbox.open() == 0)
        embedded.stop()
    assert set(receiver.posts.values()) == {1}
