# SPDX-License-Identifier: MIT
"""Real workers over a real Redis: what travels, what is refused, what a kill of Redis does, how a worker ends."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from notify_gateway.domain.delivery import Hint
from tests.support.poison import HOLLOW_MESSAGE, NO_MESSAGES
from tests.support.services import PrivateRedis, Process, Supervisor, eventually
from tests.workers.receiver import Receiver
from workers.app import KEY_PREFIX, make_celery
from workers.hints import Hinter
from workers.message import QUEUE, QUEUES, TASK, MessageRefused, judge, judge_envelope, valid_ids

MakeWorker = Callable[..., Process]


@pytest.fixture
def make_worker(tmp_path: Path) -> Iterator[MakeWorker]:
    made: list[Process] = []

    def make(broker: str, *, url: str = "", grace: float = 5.0) -> Process:
        command = [sys.executable, "-m", "tests.workers.worker_process", broker, tmp_path / "report", url, str(grace)]
        made.append(Process(command, name=f"worker-{len(made)}", log=tmp_path / f"worker-{len(made)}.log"))
        return made[-1].start()

    yield make
    for each in made:
        each.kill9(group=True)


@pytest.fixture
def report(tmp_path: Path) -> Callable[[], dict[str, str]]:
    def read() -> dict[str, str]:
        path = tmp_path / "report"
        return dict(line.split() for line in path.read_text().splitlines()) if path.exists() else {}

    return read


def hinter_for(url: str) -> Hinter:
    return Hinter(make_celery(url))


def some_ids(count: int = 1) -> tuple[str, ...]:
    return tuple(str(uuid4()) for _ in range(count))


def test_a_message_in_redis_holds_ids_and_nothing_else(redis_url: str) -> None:
    ids, hinter = some_ids(3), hinter_for(redis_url)
    assert hinter.hint([Hint("E06000004", "webhook", ids)])
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        eventually(lambda: client.llen(KEY_PREFIX + QUEUES["webhook"]) == 1)
        message = json.loads(client.lindex(KEY_PREFIX + QUEUES["webhook"], 0))
        assert all(key.startswith(KEY_PREFIX) for key in client.scan_iter())
    hinter.close()
    assert message["headers"]["argsrepr"] == "(3 ids)"
    assert "E06000004" not in json.dumps(message)
    assert not any(message["headers"].get(name) for name in ("eta", "expires", "group", "parent_id"))


def test_a_broker_behind_tls_has_to_show_who_it_is() -> None:
    with make_celery("rediss://broker.example/0").connection_for_write() as connection:
        assert connection.ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED}


def test_a_dead_broker_never_blocks_or_raises() -> None:
    hinter = hinter_for("redis://127.0.0.1:1/0")
    assert hinter.hint([Hint("a", "pull", some_ids())])
    hinter.close()


BODY = [[[str(uuid4())]], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
HEADERS = {"task": TASK, "id": str(uuid4())}


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"task": "celery.map"}, BODY, "task"),
        ({"id": "Ada Example"}, BODY, "message-id"),
        ({"compression": "application/x-gzip"}, BODY, "content"),
        ({}, [[["Ada Example"]], {}, {}], "ids"),
        ({}, [[[]], {}, {}], "ids"),
        ({}, [[[str(uuid4())] * 257], {}, {}], "ids"),
        ({}, [[[str(uuid4()).upper() + "A"]], {}, {}], "ids"),
        ({}, [[[str(uuid4()) + "\n"]], {}, {}], "ids"),
        ({}, [[[7]], {}, {}], "ids"),
        ({}, [BODY[0] * 2, {}, {}], "arguments"),
        ({}, [BODY[0], {"name": "Ada Example"}, {}], "arguments"),
        ({}, [BODY[0], {}, {"callbacks": [{"task": TASK}]}], "embedded"),
        ({}, {"task": TASK}, "content"),
        ({}, ["x" * 20_000], "size"),
    ],
)
def test_a_forged_message_is_refused_by_code_alone(headers: dict[str, str], body: object, code: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        judge(HEADERS | headers, "application/json", json.dumps(body))
    assert str(refused.value) == code


@pytest.mark.parametrize("wrong", NO_MESSAGES)
def test_what_kombu_could_not_read_is_refused_before_it_sees_it(wrong: str) -> None:
    judge_envelope(HOLLOW_MESSAGE)
    with pytest.raises(MessageRefused) as refused:
        judge_envelope(NO_MESSAGES[wrong])
    assert str(refused.value) in ("envelope", "size")


def test_ids_are_kept_in_order() -> None:
    ids = some_ids(5)
    assert valid_ids(list(ids)) == ids


def test_forged_messages_have_no_effect_on_a_real_worker(
    redis_url: str, make_worker: MakeWorker, report: Callable[[], dict[str, str]]
) -> None:
    app = make_celery(redis_url)
    app.send_task(TASK, args=[["Ada Example"]], argsrepr="Ada Example", queue=QUEUE)
    app.send_task("celery.map", args=["Ada Example", []], queue=QUEUE)
    app.send_task(TASK, args=[list(some_ids())], kwargs={"name": "Ada Example"}, queue=QUEUE)
    app.send_task(TASK, args=[list(some_ids())], link=app.signature(TASK, args=[["Ada Example"]]), queue=QUEUE)
    ids, hinter = some_ids(2), hinter_for(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(KEY_PREFIX + QUEUE, *NO_MESSAGES.values(), HOLLOW_MESSAGE)
        hinter.hint([Hint("a", "pull", ids[:1])])
        worker = make_worker(redis_url)
        eventually(lambda: set(report()) == set(ids[:1]), within=20)
        # A worker at work, too, takes what comes next.
        client.lpush(KEY_PREFIX + QUEUE, *NO_MESSAGES.values())
    hinter.hint([Hint("a", "pull", ids[1:])])
    eventually(lambda: set(report()) == set(ids), within=20)
    hinter.close()
    eventually(lambda: worker.output.count("task-message-refused") == 5 + 2 * len(NO_MESSAGES))
    assert worker.alive
    assert "Ada" not in worker.output
    assert "Traceback" not in worker.output


@pytest.mark.parametrize("busy", [True, pytest.param(False, marks=pytest.mark.long)])
def test_workers_consume_again_after_redis_is_killed_and_restarted(
    private_redis: PrivateRedis, make_worker: MakeWorker, report: Callable[[], dict[str, str]], busy: bool
) -> None:
    worker, hinter = make_worker(private_redis.url), hinter_for(private_redis.url)
    sent: set[str] = set()

    def hint_what_is_open() -> bool:
        hinter.hint([Hint("a", "pull", (each,)) for each in sorted(sent - report().keys())])
        return sent <= report().keys()

    with Supervisor([worker]):
        for _ in range(2):
            sent |= set(some_ids(200))
            if not busy:
                eventually(hint_what_is_open, within=40, every=1)
            hint_what_is_open()
            private_redis.kill9()
            private_redis.restart()
            eventually(hint_what_is_open, within=40, every=1)
    hinter.close()


def test_sigterm_drains_what_is_on_the_wire(
    redis_url: str, make_worker: MakeWorker, report: Callable[[], dict[str, str]], receiver: Receiver
) -> None:
    ids, hinter = some_ids(10), hinter_for(redis_url)
    worker = make_worker(redis_url, url=receiver.url("slow"))
    hinter.hint([Hint("a", "webhook", ids)])
    eventually(lambda: len(receiver.posts) == 10, within=20)
    assert worker.terminate(within=10) == 0
    hinter.close()
    assert report() == dict.fromkeys(ids, "received")


def test_what_hangs_past_the_grace_time_is_recorded_for_another_attempt(
    redis_url: str, make_worker: MakeWorker, report: Callable[[], dict[str, str]], receiver: Receiver
) -> None:
    ids, hinter = some_ids(10), hinter_for(redis_url)
    worker = make_worker(redis_url, url=receiver.url("hang"), grace=1)
    hinter.hint([Hint("a", "webhook", ids)])
    eventually(lambda: len(receiver.posts) == 10, within=20)
    assert worker.terminate(within=8) == 0
    hinter.close()
    assert report() == dict.fromkeys(ids, "stopping")


def test_a_process_that_takes_nothing_while_hints_wait_ends_itself_with_status_75(redis_url: str, tmp_path: Path) -> None:
    stuck = (
        "import threading; from workers.app import queue_length; from workers.pulse import Pulse; from workers.watchdog import Watchdog\n"
        f"Watchdog(queue_length({redis_url!r}), Pulse(), patience=1).start(); threading.Event().wait()"
    )
    process = Process([sys.executable, "-c", stuck], name="stuck", log=tmp_path / "stuck.log").start()
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(KEY_PREFIX + QUEUE, "a hint that nobody takes")
    assert process.wait(within=20) == 75
    assert process.says("worker-does-not-consume")
