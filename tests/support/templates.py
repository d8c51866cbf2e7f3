# SPDX-License-Identifier: MIT
"""Databases that stand at the newest revision already: migrated once for a test run and used again, which costs a hundredth."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from notify_gateway.store import migrate
from notify_gateway.store.engine import open_engine
from tests.support.services import PostgresServer

WHICH: tuple[migrate.Which, ...] = ("main", "shred")


class Templates:
    """Lends migrated main and shred databases: copies of a file on SQLite, used again when emptied on a PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closing = ExitStack()
        self._made: dict[migrate.Which, str] = {}
        self._free: dict[tuple[str, migrate.Which], list[str]] = {}
        self._bare: dict[str, list[str]] = {}

    def sqlite(self, which: migrate.Which, url: str) -> None:
        """Put a migrated database at the address of one that is not there yet."""
        if which not in self._made:
            self._made[which] = self._template(f"sqlite:///{self._folder / which}.sqlite3", which)
        target = make_url(url).database
        assert target is not None
        shutil.copyfile(make_url(self._made[which]).database or "", target)

    @contextmanager
    def postgres(self, server: PostgresServer, which: migrate.Which) -> Iterator[str]:
        """Lend a migrated database on the server; emptied afterwards and lent again, for making and dropping one costs seconds."""
        free = self._free.setdefault((server.admin_url, which), [])
        url = free.pop() if free else self._template(self._closing.enter_context(server.database()), which)
        yield url
        if self._emptied(url):
            free.append(url)

    @contextmanager
    def bare(self, server: PostgresServer) -> Iterator[str]:
        """Lend a database without tables; whatever was made in it is removed afterwards, and it is lent again."""
        free = self._bare.setdefault(server.admin_url, [])
        url = free.pop() if free else self._closing.enter_context(server.database())
        try:
            yield url
        finally:
            if self._stripped(url):
                free.append(url)

    def _stripped(self, url: str) -> bool:
        engine = create_engine(url, poolclass=NullPool)
        others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        try:
            with engine.begin() as connection:
                connection.execute(text(others))
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public AUTHORIZATION pg_database_owner"))
                connection.execute(text("GRANT USAGE ON SCHEMA public TO PUBLIC"))
        except DBAPIError:
            return False
        return True

    def _emptied(self, url: str) -> bool:
        """Tell whether all rows could be removed, guards or no guards."""
        engine = create_engine(url, poolclass=NullPool)
        try:
            with engine.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                for name in inspect(connection).get_table_names():
                    if not name.startswith("alembic_version"):
                        connection.execute(text(f'DELETE FROM "{name}"'))
        except DBAPIError:
            return False
        return True

    def close(self) -> None:
        """Drop what was copied from."""
        self._closing.close()

    def _template(self, url: str, which: migrate.Which) -> str:
        engine = open_engine(url, pool_size=1)
        migrate.upgrade(engine, which)
        engine.dispose()
        return url
