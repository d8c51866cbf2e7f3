# SPDX-License-Identifier: MIT
"""The long-running commands as real processes: they start, show that they are well, and end in good order."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from notify_gateway.cli.heartbeat import FRESH, BeatingEvent, Heartbeat, age, path_of
from notify_gateway.runtime import open_sequencer
from notify_gateway.settings import Settings
from tests.cli.conftest import COMMAND, Call, Result, call_outside
from tests.support.processes import Process, base_environment
from tests.support.services import PrivateRedis, answers, eventually, free_port

Start = Callable[..., Process]


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    (folder / "tmp").mkdir()
    return {"TMPDIR": str(folder / "tmp")}


@pytest.fixture
def start(folder: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts a command in the folder, and stops it afterwards."""
    with ExitStack() as ending:

        def run(*arguments: object, **more: str) -> Process:
            command = [*COMMAND, *(str(each) for each in arguments)]
            env = base_environment() | environment | more
            process = Process(command, name=str(arguments[0]), log=folder / f"{arguments[0]}.log", cwd=folder, env=env)
            ending.callback(process.stop)
            return process.start(wait=False)

        yield run


@pytest.fixture
def health(folder: Path, environment: dict[str, str]) -> Callable[..., Result]:
    return lambda *arguments: call_outside("health", *arguments, folder=folder, environment=environment)


def test_serve_without_a_broker_is_the_whole_service(ready: Call, start: Start, health: Callable[..., Result]) -> None:
    port = free_port()
    serving = start("serve", "--port", port)
    eventually(lambda: answers(f"http://127.0.0.1:{port}/_status"), within=30, what="serving")
    assert health("gateway", "--port", port).status == 0
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    checkpoint = eventually(
        lambda: (got := httpx2.get(f"http://127.0.0.1:{port}/log/checkpoint")).status_code == 200 and got.text,
        within=10,
        what="a signature",
    )
    assert Settings().log_origin in checkpoint
    answer = httpx2.get(f"http://127.0.0.1:{port}/")
    assert "server" not in answer.headers
    assert serving.terminate(within=30) == 0
    assert health("gateway", "--port", port).status == 1
    assert "Traceback" not in serving.output
    assert all(line.startswith("{") for line in serving.output.splitlines())


def test_a_port_that_is_taken_is_told(ready: Call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = ready("serve", "--port", taken.getsockname()[1])
    assert result.status == 1
    assert "cannot listen there" in result.words


@pytest.mark.parametrize("command", ["worker", "schedule"])
def test_worker_and_scheduler_need_a_broker(command: str, ready: Call) -> None:
    result = ready(command)
    assert result.status == 1
    assert "NOTIFY_GATEWAY_BROKER_URL" in result.err


@pytest.mark.parametrize("command", ["serve", "worker", "schedule", "sequence"])
def test_without_keys_it_says_what_is_missing(command: str, call: Call) -> None:
    result = call(command)
    assert result.status == 1
    assert "key file cannot be used" in result.words
    assert "Traceback" not in result.err


@pytest.mark.parametrize(("command", "name"), [("worker", "worker"), ("schedule", "scheduler"), ("sequence", "sequencer")])
def test_a_process_shows_a_sign_of_life_until_it_ends(
    command: str, name: str, ready: Call, start: Start, health: Callable[..., Result], private_redis: PrivateRedis
) -> None:
    before = health(name)
    assert before.status == 1
    assert "no sign of life" in before.out
    process = start(command, NOTIFY_GATEWAY_BROKER_URL=private_redis.url)
    eventually(lambda: health(name).status == 0, within=40, what=f"{name} well")
    assert process.terminate(within=40) == 0, process.output
    assert health(name).status == 1
    assert "Traceback" not in process.output


def test_the_opener_answers_at_its_socket(ready: Call, start: Start, health: Callable[..., Result], folder: Path) -> None:
    assert "NOTIFY_GATEWAY_OPENER_SOCKET" in ready("opener").err
    process = start("opener", NOTIFY_GATEWAY_OPENER_SOCKET="opener.sock")
    eventually(lambda: (folder / "opener.sock").exists(), within=30, what="a socket")
    eventually(lambda: health("opener").status == 0, within=20, what="opener well")
    assert process.terminate(within=20) == 0


def test_a_killed_process_is_missed(ready: Call, start: Start, folder: Path, environment: dict[str, str]) -> None:
    process = start("sequence")
    sign = Path(environment["TMPDIR"]) / path_of("sequencer", folder / "var").relative_to(path_of("x", folder).parents[1])
    eventually(sign.exists, within=30, what="a sign of life")
    process.kill9()
    old = time.time() - FRESH - 1
    os.utime(sign, (old, old))
    told = call_outside("health", "sequencer", "--json", folder=folder, environment=environment)
    assert told.status == 1
    assert told.json["healthy"] is False


def test_a_loop_that_hangs_is_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    stop = BeatingEvent(Heartbeat("worker", folder))
    assert age("worker", folder) is None
    assert not stop.is_set()
    seen = age("worker", folder)
    assert seen is not None
    assert seen < 5
    stamp = path_of("worker", folder)
    os.utime(stamp, (1, 1))
    stop.wait(0.05)
    old = age("worker", folder)
    assert old is not None
    assert old > FRESH


def test_a_sign_of_life_that_cannot_be_shown_does_not_end_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder / "not" / "a-folder"))
    (folder / "not").write_text("a file")
    assert BeatingEvent(Heartbeat("worker", folder)).is_set() is False


def test_health_of_what_is_none_of_ours(call: Call) -> None:
    result = call("health", "mailer")
    assert result.status == 1
    assert "sequencer" in result.err


def test_a_sequencer_that_finds_the_log_rewound_signs_nothing_and_says_why(ready: Call, folder: Path) -> None:
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    before = (folder / "var/main.sqlite3").read_bytes()
    open_sequencer(Settings()).run_once()
    for name in ("main.sqlite3", "main.sqlite3-wal", "main.sqlite3-shm"):
        (folder / "var" / name).unlink(missing_ok=True)
    (folder / "var/main.sqlite3").write_bytes(before)
    ready("trusts", "register", "RYY", "--name", "B", "--type", "other")
    result = ready("sequence")
    assert result.status == 1
    assert "was not signed" in result.words
    assert "Do not delete the guard file" in result.words


def test_migrating_twice_changes_nothing(call: Call) -> None:
    assert call("migrate", "--json").json == {"migrated": ["main", "shred"], "roles": [], "logins": []}
    assert call("migrate", "--json").json == {"migrated": ["main", "shred"], "roles": [], "logins": []}


def test_a_command_that_is_interrupted_ends_with_130(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("notify_gateway.runtime.make_keys", interrupt)
    assert call("keys", "make").status == 130


def test_an_unforeseen_error_tells_its_kind_and_place_and_no_text(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LookupError("a child's name")

    monkeypatch.setattr("notify_gateway.runtime.make_keys", fail)
    result = call("keys", "make")
    assert result.status == 1
    assert "LookupError at test_processes.py" in result.err
    assert "child's name" not in result.err


def test_signals_are_left_as_they_were(call: Call) -> None:
    before = signal.getsignal(signal.SIGTERM)
    call("keys", "show")
    assert signal.getsignal(signal.SIGTERM) is before
