# SPDX-License-Identifier: MIT
"""Fixtures for all rooms: fresh databases and brokers on real servers. What each does stands in ``tests/support/services.py``."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import stamina
import structlog

from tests.support.ledger import KEY, LEDGER, is_whole_run
from tests.support.mesh import MeshSandbox, shared_mesh
from tests.support.services import PostgresServer, PrivatePostgres, PrivateRedis, running_postgres
from tests.support.templates import Templates

for _name in [name for name in os.environ if name.startswith("NOTIFY_GATEWAY_") and not name.startswith("NOTIFY_GATEWAY_TEST_")]:
    del os.environ[_name]  # the developer's own settings do not reach a test


def pytest_configure(config: pytest.Config) -> None:
    """Leave the long forms out unless they are asked for with ``-m``; begin to note which codes are raised."""
    # Whoever is started in the background ignores Ctrl-C, and so would every command that a test starts and then interrupts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.option.markexpr = config.option.markexpr or "not long and not faults"
    LEDGER.install()


@pytest.fixture(autouse=True)
def _no_log_of_a_test_before() -> Iterator[None]:
    """Undo what a command that was called within a test has set up: its log, whose stream is closed by then, and its telling of retries."""
    told_retries = stamina.instrumentation.get_on_retry_hooks()
    yield
    stamina.instrumentation.set_on_retry_hooks(told_retries)
    if structlog.is_configured():
        structlog.reset_defaults()
        root = logging.getLogger()
        root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]


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


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    """Makes databases that are migrated already."""
    made = Templates(tmp_path_factory.mktemp("templates"))
    yield made
    made.close()


@pytest.fixture
def make_postgres_database(postgres_server: PostgresServer, templates: Templates) -> Iterator[Callable[[], str]]:
    """Lends empty databases: each call returns the SQLAlchemy URL of one; all are emptied afterwards."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(templates.bare(postgres_server))


@pytest.fixture
def postgres_url(make_postgres_database: Callable[[], str]) -> str:
    """SQLAlchemy URL (``postgresql+psycopg://…``) of an empty database, emptied afterwards."""
    return make_postgres_database()


@pytest.fixture
def shred_postgres_url(make_postgres_database: Callable[[], str]) -> str:
    """SQLAlchemy URL of a second empty database, for the shred keys."""
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


@pytest.fixture
def mesh() -> MeshSandbox:
    """An empty MESH sandbox of this test run's own; not to be killed."""
    sandbox = shared_mesh()
    sandbox.reset()
    return sandbox


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over, from a process of the run that has ended, which codes it has seen raised."""
    LEDGER.seen.update(getattr(node, "workeroutput", {}).get(KEY, ()))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Hand over the codes that were seen raised; fail the run when it was whole and missed one."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[KEY] = sorted(LEDGER.seen)
    elif exitstatus == 0 and is_whole_run(session.config) and LEDGER.missing():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Repeat, above the closing line, which checks failed before the tests (set by ``tools/check.py``), and name codes nobody raised."""
    if is_whole_run(config) and (missing := LEDGER.missing()):
        terminalreporter.write_line(f"Codes of the catalogue that no test raised: {', '.join(missing)}", red=True)
    failed = os.environ.get("CHECKS_FAILED")
    if failed:
        terminalreporter.write_line(f"Checks that failed before the tests: {failed} (see the top)", red=True)


LONGEST_FIRST = ("faults", "packaging", "quality", "leaks", "web", "cli", "journeys", "workers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders with the longest tests first: all processes then end at nearly the same time."""

    def place(item: pytest.Item) -> int:
        folder = item.nodeid.split("/")[1] if "/" in item.nodeid else ""
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)
