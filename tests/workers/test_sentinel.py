# SPDX-License-Identifier: MIT
"""A broker that sentinels watch: when the master dies, hints and workers find its successor by themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from notify_gateway.domain.delivery import Hint
from tests.support.services import PrivateRedis, Process, Supervisor, eventually, free_port, need_program
from workers.app import make_celery, queue_length
from workers.hints import Hinter

MASTER = "notify"


@dataclass(frozen=True)
class Watched:
    url: str
    first: PrivateRedis


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Lend a master, its replica, and the sentinel that watches them."""
    with ExitStack() as stack:
        first, second = PrivateRedis(), PrivateRedis()
        for each in (first, second):
            stack.callback(each.start().stop)
        with second.client() as client:
            client.replicaof("127.0.0.1", first.port)
            eventually(lambda: client.info("replication")["master_link_status"] == "up", what="the replica to follow")
        port = free_port()
        settings = tmp_path / "sentinel.conf"
        lines = [f"port {port}", "bind 127.0.0.1", f"dir {tmp_path}", f"sentinel monitor {MASTER} 127.0.0.1 {first.port} 1"]
        lines += [f"sentinel down-after-milliseconds {MASTER} 500", f"sentinel failover-timeout {MASTER} 3000"]
        settings.write_text("\n".join(lines) + "\n")
        url = f"sentinel://127.0.0.1:{port}/0"
        command = [need_program("redis-server"), settings, "--sentinel"]
        sentinel = Process(command, name="sentinel", log=tmp_path / "sentinel.log", ready=lambda: knows_replica(tmp_path / "sentinel.conf"))
        stack.callback(sentinel.kill9)
        sentinel.start()
        yield Watched(url, first)


def knows_replica(settings: Path) -> bool:
    return "known-replica" in settings.read_text()


def test_hints_reach_workers_when_the_master_dies(watched: Watched, tmp_path: Path) -> None:
    report = tmp_path / "report"
    command = [sys.executable, "-m", "tests.workers.worker_process", watched.url, report, "", "5", MASTER]
    worker = Process(command, name="worker", log=tmp_path / "worker.log").start()
    hinter = Hinter(make_celery(watched.url, master=MASTER))

    def all_reported(ids: set[str]) -> bool:
        seen = {line.split()[0] for line in report.read_text().splitlines()} if report.exists() else set()
        hinter.hint([Hint("a", "pull", (each,)) for each in sorted(ids - seen)])
        return ids <= seen

    with Supervisor([worker]):
        before, after = ({str(uuid4()) for _ in range(50)} for _ in range(2))
        eventually(lambda: all_reported(before), within=40, every=1)
        watched.first.kill9()
        eventually(lambda: all_reported(before | after), within=60, every=1)
    hinter.close()
    worker.kill9(group=True)
    assert queue_length(watched.url, master=MASTER)() >= 0


def test_the_name_of_the_master_is_needed() -> None:
    with pytest.raises(ValueError, match="master"):
        make_celery("sentinel://127.0.0.1:26379/0")
