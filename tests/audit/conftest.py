# SPDX-License-Identifier: MIT
"""Fixtures of the log's tests: each runs on PostgreSQL and on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.builders import LogUnderTest, opened


@pytest.fixture(params=["postgresql", "sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[LogUnderTest]:
    yield from opened(database_url, tmp_path)
