# SPDX-License-Identifier: MIT
"""``notify-gateway send`` at a running service: interrupted, resumed, tried; and the long form with 20,000 messages."""

from __future__ import annotations

import json
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select

from notify_gateway.store import tables
from notify_gateway.store.engine import reading
from tests.cli.conftest import COMMAND, call_outside
from tests.support.messages import Message, a_message
from tests.support.service import RunningService
from tests.support.services import Process, eventually

MEGABYTE = 1024 * 1024
LINES = 300


def on_one(kind: str) -> pytest.MarkDecorator:
    """The command is the same whatever the service stands on, so one kind of it will do."""
    return pytest.mark.parametrize("service", [kind], indirect=True)


def write(folder: Path, messages: Iterable[Message | bytes], service: RunningService) -> Path:
    """Write a back-book and, beside it, the token of the trust that sends it."""
    (folder / "token").write_text(service.trust_token)
    with (folder / "book.ndjson").open("wb") as file:
        file.writelines((each.bytes() if isinstance(each, Message) else each) + b"\n" for each in messages)
    return folder / "book.ndjson"


def arguments(service: RunningService, *more: str) -> tuple[str, ...]:
    return ("send", "book.ndjson", "--url", f"http://127.0.0.1:{service.ports[-1]}", "--token-file", "token", "--json", *more)


def sender(service: RunningService, folder: Path) -> Process:
    return Process([*COMMAND, *arguments(service)], name="sender", log=folder / "sender.log", cwd=folder)


def results(book: Path, kind: str = "results") -> list[dict[str, Any]]:
    path = book.with_name(f"{book.name}.{kind}.ndjson")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def arrived(service: RunningService) -> int:
    with reading(service.gateway.engine).begin() as connection:
        return connection.execute(select(func.count()).select_from(tables.messages)).scalar_one()


@on_one("distributed")
def test_an_interrupted_run_is_gone_on_with_and_nothing_is_doubled_or_lost(service: RunningService, tmp_path: Path) -> None:
    book = write(tmp_path, (a_message() for _ in range(LINES)), service)
    before = arrived(service)
    running = sender(service, tmp_path).start()
    eventually(lambda: arrived(service) > before, every=0.005, what="lines have arrived")
    running.signal(signal.SIGINT)
    assert running.wait() == 2, running.output
    assert "run the same command again" in " ".join(running.output.split())
    assert arrived(service) < before + LINES
    last = call_outside(*arguments(service), folder=tmp_path)
    assert last.status == 0, last.err
    assert arrived(service) == before + LINES
    held = results(book)
    assert sorted(r["line"] for r in held) == list(range(1, LINES + 1))
    assert {r["status"] for r in held} <= {202, 409}
    assert len({r["reference"] for r in held}) == LINES
    assert all(r["promise"] for r in held)


@on_one("embedded")
def test_what_is_refused_is_told_by_code_and_nothing_of_a_child_is_written_or_shown(service: RunningService, tmp_path: Path) -> None:
    messages = [a_message(), a_message().without("parent-informed"), a_message().from_sender("RYY"), a_message()]
    book = write(tmp_path, [*messages, b"no JSON"], service)
    sent = call_outside(*arguments(service), folder=tmp_path)
    assert sent.status == 1, sent.err
    assert [(r["line"], r["status"], r.get("code")) for r in results(book)] == [
        (1, 202, None),
        (2, 422, "NG-4001"),
        (3, 403, "NG-1106"),
        (4, 202, None),
        (5, 400, "NG-2003"),
    ]
    shown = sent.out + sent.err + json.dumps(results(book))
    assert [word for message in messages for word in message.canaries if word in shown] == []


@on_one("distributed")
def test_a_dry_run_judges_every_line_and_keeps_nothing(service: RunningService, tmp_path: Path) -> None:
    book = write(tmp_path, [a_message(), a_message().without("parent-informed")], service)
    before = service.row_counts()["messages"]
    tried = call_outside(*arguments(service, "--dry-run"), folder=tmp_path)
    assert (tried.status, tried.json["accepted"], tried.json["refused"]) == (1, 1, 1), tried.err
    assert [(r["verdict"], [i["code"] for i in r["issues"]]) for r in results(book, "dry-run")] == [
        ("would-be-accepted", []),
        ("would-be-refused", ["NG-4001"]),
    ]
    assert service.row_counts()["messages"] == before
    assert results(book) == []


@pytest.mark.long
@on_one("distributed")
@pytest.mark.timeout(900)
def test_twenty_thousand_messages_take_bounded_memory_and_leave_the_neighbours_alone(service: RunningService, tmp_path: Path) -> None:
    count = 20_000
    book = write(tmp_path, (a_message(number) for number in range(count)), service)
    before = service.row_counts()["messages"]
    gateway = list(service.processes.values())[len(service.ports) - 1]
    alone = [_one(service) for _ in range(200)]
    at_first = psutil.Process(gateway.pid).memory_info().rss
    running = sender(service, tmp_path).start()
    most: Counter[str] = Counter()
    beside: list[float] = []
    pause = threading.Event()
    while running.alive:
        for name, process in (("gateway", gateway), ("sender", running)):
            try:
                most[name] = max(most[name], psutil.Process(process.pid).memory_info().rss)
            except psutil.NoSuchProcess:
                break
        beside.append(_one(service))
        pause.wait(0.05)
    assert running.wait() == 0, running.output
    told = json.loads(running.output[running.output.index("{") :])
    assert service.row_counts()["messages"] == before + count + len(alone) + len(beside)
    assert len(results(book)) == count
    print(
        f"\n{count} lines in {told['seconds']} s; sender at most {most['sender'] // MEGABYTE} MB, gateway {at_first // MEGABYTE} MB "
        f"then at most {most['gateway'] // MEGABYTE} MB; a single post alone {_told(alone)}, beside it {_told(beside)}"
    )
    assert most["sender"] < 120 * MEGABYTE
    assert most["gateway"] - at_first < 150 * MEGABYTE
    assert statistics.median(beside) < 3 * statistics.median(alone) + 0.05


def _one(service: RunningService) -> float:
    message = a_message().from_sender("RYY")
    began = time.perf_counter()
    assert service.post(message, token=service.other_trust_token, gateway=-1).status_code == 202
    return time.perf_counter() - began


def _told(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms"
