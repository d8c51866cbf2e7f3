# SPDX-License-Identifier: MIT
"""One running service of each kind for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.service import RunningService
from tests.support.services import PostgresServer, PrivateRedis


@pytest.fixture(scope="session", params=["embedded", "distributed"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The whole service: on SQLite in one process, and on PostgreSQL and Redis in five. Shared: a test counts only what is its own."""
    start: Callable[[Path, ExitStack], RunningService] = _embedded
    if request.param == "distributed":
        start = _distributed(request.getfixturevalue("postgres_server"))
    with ExitStack() as stack:
        yield start(tmp_path_factory.mktemp("service") / "it", stack)


def _embedded(folder: Path, stack: ExitStack) -> RunningService:
    return stack.enter_context(RunningService(folder))


def _distributed(server: PostgresServer) -> Callable[[Path, ExitStack], RunningService]:
    def start(folder: Path, stack: ExitStack) -> RunningService:
        redis = PrivateRedis().start()
        stack.callback(redis.stop)
        main, shred = stack.enter_context(server.database()), stack.enter_context(server.database())
        return stack.enter_context(RunningService(folder, database_url=main, shred_url=shred, broker_url=redis.url))

    return start
