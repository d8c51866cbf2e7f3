# SPDX-License-Identifier: MIT
"""Fixtures for all rooms: fresh databases and brokers on real servers. What each does stands in ``tests/support/services.py``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.services import PostgresServer, PrivatePostgres, PrivateRedis, running_postgres

for _name in [name for name in os.environ if name.startswith("NOTIFY_GATEWAY_") and not name.startswith("NOTIFY_GATEWAY_TEST_")]:
    del os.environ[_name]  # the developer's own settings do not reach a test


def pytest_configure(config: pytest.Config) -> None:
    """Leave the long forms out unless they are asked for with ``-m``."""
    config.option.markexpr = config.option.markexpr or "not long and not faults"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server to make databases on: a running one where there is one, else a private one. Never to be stopped by a test."""
    running = running_postgres()
    if running is not None:
        yield running
        return
    private = PrivatePostgres()
    try:
        yield private.start()
    finally:
        private.stop()


@pytest.fixture
def make_postgres_database(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """Makes fresh empty databases: each call returns the SQLAlchemy URL of one; all are dropped afterwards."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(postgres_server.database())


@pytest.fixture
def postgres_url(make_postgres_database: Callable[[], str]) -> str:
    """SQLAlchemy URL (``postgresql+psycopg://…``) of a fresh empty database, dropped afterwards."""
    return make_postgres_database()


@pytest.fixture
def shred_postgres_url(make_postgres_database: Callable[[], str]) -> str:
    """SQLAlchemy URL of a second fresh empty database, for the shred keys."""
    return make_postgres_database()


@pytest.fixture(scope="session")
def _shared_redis() -> Iterator[PrivateRedis]:
    server = PrivateRedis()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def redis_url(_shared_redis: PrivateRedis) -> str:
    """URL of an empty Redis of this test run's own (never one that runs already: tests may flush it); not to be killed."""
    _shared_redis.flushall()
    return _shared_redis.url


@pytest.fixture
def private_redis() -> Iterator[PrivateRedis]:
    """A running Redis of this test's own, to kill, restart and flush."""
    server = PrivateRedis()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def private_postgres() -> Iterator[PrivatePostgres]:
    """A running PostgreSQL of this test's own, to kill and restart (two seconds to make)."""
    server = PrivatePostgres()
    try:
        yield server.start()
    finally:
        server.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Repeat, above the closing line, which checks failed before the tests (set by ``tools/check.py``)."""
    failed = os.environ.get("CHECKS_FAILED")
    if failed:
        terminalreporter.write_line(f"Checks that failed before the tests: {failed} (see the top)", red=True)


LONGEST_FIRST = ("faults", "benchmarks", "packaging", "quality", "leaks", "cli", "journeys")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders with the longest tests first: two processes then end at nearly the same time."""

    def place(item: pytest.Item) -> int:
        folder = item.nodeid.split("/")[1] if "/" in item.nodeid else ""
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)
