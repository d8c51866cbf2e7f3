# SPDX-License-Identifier: MIT
"""One running service of each kind for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.invariants import assert_invariants
from tests.support.service import RunningService
from tests.support.services import PostgresServer, PrivateRedis

Kinds = dict[str, RunningService]
ON_BOTH = ("test_journey.py", "test_front_door.py")
"""The journeys that every run makes on both; the others are made on the embedded default in the long form."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the long form what is the same journey once more on the embedded default."""

    twins = {_journey(item, "distributed") for item in items} - {None}
    for item in items:
        if _journey(item, "embedded") in twins and item.path.name not in ON_BOTH:
            item.add_marker(pytest.mark.long)


def _journey(item: pytest.Item, kind: str) -> str | None:
    """Return what the journey on a service of this kind is called wherever it is made; None for any other test."""
    callspec = getattr(item, "callspec", None)
    return item.nodeid.replace(kind, "", 1) if callspec is not None and callspec.params.get("service") == kind else None


@pytest.fixture(scope="session")
def _running() -> Iterator[tuple[Kinds, ExitStack]]:
    """Both services, each started when it is first asked for and kept: to start one takes as long as many tests.

    After all journeys the invariants hold in each.
    """
    with ExitStack() as stack:
        kinds: Kinds = {}
        yield kinds, stack
        for service in kinds.values():
            assert_invariants(service.gateway)


@pytest.fixture(scope="module", params=["embedded", "distributed"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _running: tuple[Kinds, ExitStack]) -> RunningService:
    """The whole service: on SQLite in one process, and on PostgreSQL and Redis in five. Shared: a test counts only what is its own."""
    kinds, stack = _running
    if request.param not in kinds:
        start: Callable[[Path, ExitStack], RunningService] = _embedded
        if request.param == "distributed":
            start = _distributed(request.getfixturevalue("postgres_server"))
        kinds[request.param] = start(tmp_path_factory.mktemp("service") / "it", stack)
    return kinds[request.param]


@pytest.fixture(scope="session")
def one_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The whole service in one process, for what looks at it from outside and needs it once. Shared."""
    with RunningService(tmp_path_factory.mktemp("one-service") / "it") as running:
        yield running


def _embedded(folder: Path, stack: ExitStack) -> RunningService:
    return stack.enter_context(RunningService(folder))


def _distributed(server: PostgresServer) -> Callable[[Path, ExitStack], RunningService]:
    def start(folder: Path, stack: ExitStack) -> RunningService:
        redis = PrivateRedis().start()
        stack.callback(redis.stop)
        main, shred = stack.enter_context(server.database()), stack.enter_context(server.database())
        return stack.enter_context(RunningService(folder, database_url=main, shred_url=shred, broker_url=redis.url))

    return start
