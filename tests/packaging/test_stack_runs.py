# SPDX-License-Identifier: MIT
"""The compose file's commands, environments and health checks, run natively: all parts start, are healthy, and end in good order."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from functools import partial
from signal import SIGTERM

import pytest

from tests.support.compose import NativeStack
from tests.support.processes import Supervisor
from tests.support.services import PostgresServer, PrivateRedis
from tests.support.waiting import eventually

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[NativeStack]:
    redis = PrivateRedis().start()
    try:
        with NativeStack(tmp_path_factory.mktemp("stack"), postgres=postgres_server, redis=redis) as made:
            made.start()
            yield made
    finally:
        redis.stop()


def _status(stack: NativeStack) -> int:
    with urllib.request.urlopen(f"{stack.proxy.url}/_status", context=stack.proxy.context(), timeout=10) as answer:
        json.loads(answer.read())
        return int(answer.status)


def _back(stack: NativeStack, supervisor: Supervisor, name: str) -> bool:
    return supervisor.restarts[name] == 1 and stack.instances[name].healthy()


def test_every_part_is_healthy_and_answers_through_the_proxy(stack: NativeStack) -> None:
    lasting = {process.name for process in stack.lasting()}
    assert {name for name, instance in stack.instances.items() if name in lasting and instance.healthy()} == lasting
    assert stack.proxy.healthy()
    assert [_status(stack) for _ in range(4)] == [200] * 4


def test_nothing_is_written_where_a_container_could_not_write(stack: NativeStack) -> None:
    assert stack.written_outside_volumes() == []


def test_commands_can_be_run_in_a_services_environment(stack: NativeStack) -> None:
    shown = stack.run("gateway", "notify-gateway", "keys", "show", "--json")
    assert shown.returncode == 0, shown.stderr
    assert {"gateway", "log"} <= set(json.loads(shown.stdout))


def test_jobs_may_run_again(stack: NativeStack) -> None:
    for job in ("migrate", "load-postcodes"):
        again = stack.run(job, *stack.of(job)[0].process.command)
        assert again.returncode == 0, again.stderr


def test_what_is_killed_comes_back_and_is_healthy_again(stack: NativeStack) -> None:
    with stack.supervised() as supervisor:
        killed = ("gateway-1", "worker-1", "scheduler-1", "sequencer-1", "opener-1")
        for name in killed:
            stack.instances[name].process.kill9(group=True)
        for name in killed:
            eventually(partial(_back, stack, supervisor, name), within=30, every=0.2, what=f"{name} back")
    assert _status(stack) == 200


def test_every_part_ends_in_good_order_when_asked_to(stack: NativeStack) -> None:
    for process in stack.lasting():
        process.signal(SIGTERM)
    statuses = {process.name: process.wait(within=40) for process in stack.lasting()}
    assert set(statuses.values()) == {0}, statuses
