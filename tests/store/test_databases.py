# SPDX-License-Identifier: MIT
"""Engines and migrations, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from audit.bulk import insert_all
from notify_gateway.store import migrate
from notify_gateway.store.engine import PINGED_AFTER, Instant, open_engine, reading
from notify_gateway.store.tables import clients, shred_keys, tokens

AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, make_postgres_database: Callable[[], str]) -> str:
    return make_postgres_database() if request.param == "postgresql" else f"sqlite:///{tmp_path / 'a.sqlite3'}"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("which", ["main", "shred"])
def test_migrations_lead_to_the_very_tables_that_the_code_names(engine: Engine, which: migrate.Which) -> None:
    assert not migrate.is_current(engine, which)
    migrate.upgrade(engine, which)
    assert migrate.is_current(engine, which)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": f"alembic_version_{which}"})
        assert compare_metadata(context, migrate.METADATA[which]) == []


def test_who_is_there_stays_there_when_a_new_kind_of_client_may_come(engine: Engine) -> None:
    client = {"id": uuid4(), "kind": "trust", "code": "RXX", "name": "A trust", "organisation_type": "nhs-trust", "created_at": AT}
    token = {"id": uuid4(), "client_id": client["id"], "token_hash": bytes(32), "scopes": "a", "created_at": AT}
    migrate.upgrade(engine, "main", "0006")
    sqlite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        if not sqlite:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(insert(clients), [client])
        connection.execute(insert(tokens), [token])
    migrate.upgrade(engine, "main")
    for kind in ("ig", "nobody"):
        with suppress(IntegrityError), engine.begin() as connection:
            if not sqlite:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(insert(clients), [client | {"id": uuid4(), "kind": kind}])
    with engine.begin() as connection:
        assert sorted(connection.scalars(select(clients.c.kind))) == ["ig", "trust"]
        assert connection.scalar(select(tokens.c.client_id)) == client["id"]
        if sqlite:
            assert connection.scalar(text("pragma integrity_check")) == "ok"


def test_migrations_started_at_once_do_not_get_in_each_other_s_way(url: str) -> None:
    def upgrade(_: int) -> None:
        own = open_engine(url)
        migrate.upgrade(own, "main")
        own.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, range(4)))


def test_an_instant_is_kept_to_the_microsecond_in_utc_whatever_its_zone(engine: Engine) -> None:
    migrate.upgrade(engine, "shred")
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    with engine.begin() as connection:
        connection.execute(insert(shred_keys), [{"message_id": uuid4(), "key": bytes(32), "created_at": at}])
    with reading(engine).begin() as connection:
        kept = connection.scalar(select(shred_keys.c.created_at))
    assert kept == at
    assert kept is not None
    assert kept.utcoffset() == timedelta(0)


def test_an_instant_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Instant().process_bind_param(datetime(2026, 1, 1), engine.dialect)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("rested", [0.0, 2 * PINGED_AFTER])
def test_connections_that_died_are_replaced(
    make_postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, rested: float
) -> None:
    """One that rested is looked at before it is used; one that was in use a moment ago costs one failure, and takes the others with it."""
    url = make_postgres_database()
    engine, other = open_engine(url), open_engine(url)
    for each in (reading(engine), engine):
        held = [each.connect() for _ in range(3)]
        for connection in held:
            connection.execute(text("select 1"))
            connection.close()
        with other.begin() as connection:
            connection.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
                )
            )
        monkeypatch.setattr("notify_gateway.store.engine.PINGED_AFTER", PINGED_AFTER - rested)
        failures = 0
        for _ in range(5):
            try:
                with each.begin() as connection:
                    connection.execute(text("select 1"))
            except OperationalError:
                failures += 1
        assert failures == (0 if rested else 1)
    engine.dispose()
    other.dispose()


def test_errors_hold_no_parameters(engine: Engine) -> None:
    migrate.upgrade(engine, "shred")
    row = {"message_id": uuid4(), "key": b"canary-value".ljust(32), "created_at": AT}
    with pytest.raises(IntegrityError) as error, engine.begin() as connection:
        connection.execute(insert(shred_keys), [row, row])
    assert "canary" not in str(error.value)


def test_what_is_there_already_stays_as_it_is(engine: Engine) -> None:
    migrate.upgrade(engine, "shred")
    first = {"message_id": uuid4(), "key": bytes(32), "created_at": AT}
    with engine.begin() as connection:
        insert_all(connection, [(shred_keys, [first])], where_absent=True)
        insert_all(connection, [(shred_keys, [first | {"key": b"x" * 32}, first | {"message_id": uuid4()}])], where_absent=True)
        insert_all(connection, [(shred_keys, [])], where_absent=True)
        kept = dict(connection.execute(select(shred_keys.c.message_id, shred_keys.c.key)).all())  # type: ignore[arg-type]
    assert len(kept) == 2
    assert kept[first["message_id"]] == bytes(32)


def test_sqlite_waits_for_the_disk_at_each_commit(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'deep' / 'b.sqlite3'}")
    with reading(engine).connect() as connection:
        assert connection.scalar(text("pragma synchronous")) == 2
        assert connection.scalar(text("pragma journal_mode")) == "wal"
        assert connection.scalar(text("pragma secure_delete")) == 1


def test_postgresql_waits_for_the_disk_at_each_commit(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.scalar(text("show synchronous_commit")) == "on"
    engine.dispose()


def test_readers_of_sqlite_do_not_queue_behind_the_writer(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'c.sqlite3'}")
    migrate.upgrade(engine, "shred")
    with engine.begin(), ThreadPoolExecutor(1) as pool:

        def read() -> list[object]:
            with reading(engine).begin() as connection:
                return list(connection.scalars(select(shred_keys.c.message_id)))

        assert pool.submit(read).result(timeout=5) == []
