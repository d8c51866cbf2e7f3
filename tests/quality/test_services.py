# SPDX-License-Identifier: MIT
"""The test services keep what their names promise: fresh, private, durable, killable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.services import GaveUpWaiting, PrivatePostgres, PrivateRedis, Process, Supervisor, eventually, free_port, listens


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("postgresql+psycopg:", "postgresql:"), autocommit=True)


def test_each_database_is_fresh_and_apart_from_the_others(make_postgres_database: Callable[[], str]) -> None:
    first, second = make_postgres_database(), make_postgres_database()
    assert first != second
    with _connect(first) as connection:
        connection.execute("CREATE TABLE only_here (id int)")
    with _connect(second) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_private_postgres_survives_kill_9_with_all_it_committed(private_postgres: PrivatePostgres) -> None:
    url = private_postgres.create_database()
    with _connect(url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100) AS id")
    private_postgres.kill9()
    private_postgres.restart()
    with _connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (100,)


def test_the_redis_of_a_test_is_never_the_one_that_runs_already(redis_url: str) -> None:
    assert ":6379/" not in redis_url
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_a_private_redis_can_be_killed_restarted_and_flushed(private_redis: PrivateRedis) -> None:
    with private_redis.client() as client:
        client.set("key", "value")
    private_redis.kill9()
    assert not listens(private_redis.port)
    private_redis.restart()
    with private_redis.client() as client:
        assert client.dbsize() == 0
        client.set("key", "value")
        private_redis.flushall()
        assert client.dbsize() == 0


def test_a_supervisor_restarts_what_was_killed(tmp_path: Path) -> None:
    port = free_port()
    process = Process(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        name="server",
        log=tmp_path / "server.log",
        cwd=tmp_path,
        ready=lambda: listens(port),
    ).start()
    with Supervisor([process]) as supervisor:
        first = process.pid
        process.kill9()
        eventually(lambda: process.alive and listens(port), what="server back")
        assert process.pid != first
        assert supervisor.restarts == {"server": 1}
    process.stop()
    assert not process.alive


def test_a_process_that_ends_before_it_is_ready_says_why(tmp_path: Path) -> None:
    process = Process([sys.executable, "-c", "print('no such thing'); exit(3)"], name="short", log=tmp_path / "log", ready=lambda: False)
    with pytest.raises(GaveUpWaiting, match=r"(?s)short ended with status 3.*no such thing"):
        process.start()


def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
