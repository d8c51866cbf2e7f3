# SPDX-License-Identifier: MIT
"""Services whose broker, and in the long form whose database, may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import RunningService
from tests.support.services import PostgresServer, PrivateRedis


@pytest.fixture
def service(tmp_path: Path, postgres_server: PostgresServer, private_redis: PrivateRedis) -> Iterator[RunningService]:
    """A service of this test's own on PostgreSQL and a Redis that the supervisor starts again when it is killed."""
    with (
        postgres_server.database() as main,
        postgres_server.database() as shred,
        RunningService(
            tmp_path / "it", database_url=main, shred_url=shred, broker_url=private_redis.url, alongside=[private_redis.process]
        ) as running,
    ):
        yield running
