# SPDX-License-Identifier: MIT
"""From one revision to the next with data in every table, while the service before writes; and back again."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import BigInteger, Boolean, DateTime, Integer, Text

from audit.events import Event
from audit.log import append
from notify_gateway.store import migrate
from notify_gateway.store.engine import open_engine, reading
from notify_gateway.store.tables import audit_tables
from tests.support.waiting import eventually

OLDEST = "0010"
"""The revision before the first whose additions these tests hold to the rules of docs/operators.md."""
AT = datetime(2026, 11, 20, tzinfo=UTC)
ONE = UUID(int=7)
"""Every id of the rows that are filled in, so that each refers to the other's."""
WORDS = {"authority": "E06000004", "gss": "E06000004", "route": "{}", "fields": "{}", "refs": "[]", "content": "{}"}
STEPS = [each.revision for each in ScriptDirectory.from_config(migrate._config("main", None)).walk_revisions(OLDEST, "head")][::-1]

Rows = dict[str, list[dict[str, Any]]]
Tables = Mapping[str, Table]
Choices = dict[str, dict[str, set[str]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, make_postgres_database: Callable[[], str]) -> Iterator[Engine]:
    url = make_postgres_database() if request.param == "postgresql" else f"sqlite:///{tmp_path / 'a.sqlite3'}"
    made = open_engine(url)
    yield made
    made.dispose()


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """Write without events; the guards are not what is looked at here."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


def tables(engine: Engine) -> Mapping[str, Table]:
    """Return the tables as the database itself describes them, without those that tell the revision."""
    metadata = MetaData()
    metadata.reflect(reading(engine))
    return {table.name: table for table in metadata.sorted_tables if not table.name.startswith("alembic_")}


def allowed(engine: Engine) -> dict[str, dict[str, str]]:
    """Return, for each table, the first value that each check constraint allows its column."""
    form = re.compile(r"\(*\"?(\w+)\"?\)*(?:::\w+)? (?:in|= ANY|IS NULL OR) .*?'([^']+)'", re.IGNORECASE)
    inspector = inspect(reading(engine))
    checks = {name: inspector.get_check_constraints(name) for name in inspector.get_table_names()}
    found = {name: [form.match(each["sqltext"]) for each in held] for name, held in checks.items()}
    return {name: {each[1]: each[2] for each in matches if each} for name, matches in found.items()}


def filled(engine: Engine) -> Rows:
    """Put a row into every table that has none; return what all tables hold then."""
    there, choices = tables(engine), allowed(engine)
    with unguarded(engine) as connection:
        for name, table in there.items():
            row = {column.name: value_for(column, choices[name]) for column in table.c if column.name != "arrival"}
            row |= {"ends_at": AT + timedelta(hours=1)} if "ends_at" in row else {}
            if connection.execute(select(table).limit(1)).first() is None:
                connection.execute(insert(table), [row])
    return held(engine)


def value_for(column: Any, choices: Mapping[str, str]) -> object:
    kind = column.type
    if isinstance(kind, Uuid) or (column.name == "id" and not isinstance(kind, Integer)) or column.name.endswith("_id"):
        return ONE if isinstance(kind, Uuid) else ONE.hex
    if isinstance(kind, DateTime):
        return AT if kind.timezone else AT.replace(tzinfo=None)
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, LargeBinary):
        return b"\1" * 32
    if isinstance(kind, BigInteger | Integer):
        return 1
    if isinstance(kind, String | Text):
        return choices.get(column.name) or WORDS.get(column.name, "x")
    return AT.date()


def held(engine: Engine) -> Rows:
    there = tables(engine)
    with reading(engine).begin() as connection:
        return {name: [dict(row._mapping) for row in connection.execute(select(table))] for name, table in there.items()}


def require_kept(before: Rows, after: Rows, gone: Mapping[str, set[str]] | None = None) -> None:
    """Raises ``AssertionError`` unless each row of before is there, with what each of its columns held."""
    for name, rows in before.items():
        if name not in after:
            assert gone is not None, name
            continue
        for row in rows:
            left = {column: value for column, value in row.items() if column not in (gone or {}).get(name, ())}
            assert any(left.items() <= {k: v for k, v in each.items() if k in left}.items() for each in after[name]), name


def test_rows_of_every_table_go_up_to_the_newest_revision_and_back(engine: Engine) -> None:
    migrate.upgrade(engine, "main", OLDEST)
    oldest = filled(engine)
    assert all(oldest.values()), "data in every table"
    migrate.upgrade(engine, "main")
    before = filled(engine)
    assert all(before.values())
    require_kept(oldest, before, {"authorities": {"webhook_url"}})
    # One step of each on SQLite; on PostgreSQL, where looking at the tables takes longest, the newest and then all the rest.
    for back in STEPS[-2::-1] if engine.dialect.name == "sqlite" else (STEPS[-2], OLDEST):
        migrate.downgrade(engine, "main", back)
        after = held(engine)
        require_kept(before, after, {name: set(rows[0]) - set(after[name][0]) for name, rows in before.items() if name in after})
        before = after
    assert set(before) == set(oldest)
    require_kept(oldest, before)
    migrate.upgrade(engine, "main")
    assert migrate.is_current(engine, "main")


ADDRESS = "https://receiver.example/hook"


def test_the_address_of_a_webhook_becomes_a_route_and_an_address_again(engine: Engine) -> None:
    migrate.upgrade(engine, "main", "0010")
    authorities = tables(engine)["authorities"]
    held_by = {"custody": "managed", "created_at": AT if engine.dialect.name == "postgresql" else AT.replace(tzinfo=None)}
    rows = [
        {"gss": "E06000002", "name": "B", "channel": "webhook", "webhook_url": ADDRESS, **held_by},
        {"gss": "E06000004", "name": "A", "channel": "pull", "webhook_url": None, **held_by},
    ]
    with unguarded(engine) as connection:
        connection.execute(insert(authorities), rows)
    migrate.upgrade(engine, "main", "0011")
    now = tables(engine)["authorities"]
    with reading(engine).begin() as connection:
        routes = {row.gss: json.loads(row.route) for row in connection.execute(select(now))}
    assert routes == {"E06000002": {"url": ADDRESS}, "E06000004": {}}
    with unguarded(engine) as connection:
        connection.execute(update(now).where(now.c.gss == "E06000004").values(channel="mesh", route='{"mailbox": "X26ABC2"}'))
    with pytest.raises(ValueError, match="E06000004 is reached by mesh"):
        migrate.downgrade(engine, "main", "0010")
    with unguarded(engine) as connection:
        connection.execute(update(now).where(now.c.gss == "E06000004").values(channel="pull", route="{}"))
    migrate.downgrade(engine, "main", "0010")
    with reading(engine).begin() as connection:
        addresses = {row.gss: (row.channel, row.webhook_url) for row in connection.execute(select(tables(engine)["authorities"]))}
    assert addresses == {"E06000002": ("webhook", ADDRESS), "E06000004": ("pull", None)}
    with pytest.raises(IntegrityError), unguarded(engine) as connection:
        connection.execute(update(authorities).values(channel="mesh"))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_revision_takes_nothing_from_the_release_before_unless_it_is_a_contract_step(engine: Engine) -> None:
    scripts = ScriptDirectory.from_config(migrate._config("main", None))
    migrate.upgrade(engine, "main", OLDEST)
    broken, after = {}, (tables(engine), choices_of(engine))
    for step in STEPS[1:]:
        before = after
        migrate.upgrade(engine, "main", step)
        after = tables(engine), choices_of(engine)
        taken = list(what_was_taken(before, after))
        contract = getattr(scripts.get_revision(step).module, "contract", None)
        if bool(taken) != bool(contract):
            broken[step] = taken or "says that it is a contract step, and takes nothing"
    assert broken == {}


def what_was_taken(before: tuple[Tables, Choices], after: tuple[Tables, Choices]) -> Iterator[str]:
    """Yield what statements of the release before can no longer read or write."""
    (was, choices), (now, choices_now) = before, after
    yield from (f"table {name}" for name in was.keys() - now.keys())
    for name in was.keys() & now.keys():
        old, new = dict(was[name].c.items()), dict(now[name].c.items())
        yield from (f"column {name}.{column}" for column in old.keys() - new.keys())
        for column in old.keys() & new.keys():
            if repr(old[column].type) != repr(new[column].type) or (old[column].nullable and not new[column].nullable):
                yield f"form of {name}.{column}"
            narrower = choices[name].get(column, set()) - choices_now[name].get(column, set())
            if narrower:
                yield f"values {narrower} of {name}.{column}"
        for column in new.keys() - old.keys():
            if not new[column].nullable and new[column].server_default is None:
                yield f"rows without {name}.{column}"
        if uniques(now[name]) - uniques(was[name]):
            yield f"rows of {name} that were not unique"


def choices_of(engine: Engine) -> Choices:
    """Return, for each table, the values that its check constraints allow each column."""
    inspector = inspect(reading(engine))
    checks = {name: [each["sqltext"] for each in inspector.get_check_constraints(name)] for name in inspector.get_table_names()}
    return {name: {each.split()[0].strip('("'): set(re.findall(r"'([^']+)'", each)) for each in held} for name, held in checks.items()}


def uniques(table: Table) -> set[frozenset[str]]:
    named = [constraint.columns for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    return {frozenset(columns.keys()) for columns in [*named, *(index.columns for index in table.indexes if index.unique)]}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_service_before_goes_on_writing_while_the_database_is_brought_to_the_newest_revision(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(engine, "main", OLDEST)
    filled(engine)
    known = tables(engine)
    grow(engine, known["deliveries"], 20_000)
    monkeypatch.setattr(migrate, "LOCK_WAIT", timedelta(milliseconds=200))
    stop, waits = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            began = time.monotonic()
            accept_and_deliver(engine, known)
            waits.append(time.monotonic() - began)

    def wait_for_more(count: int, what: str) -> None:
        reached = len(waits)
        eventually(lambda: len(waits) >= reached + count or writing.done(), within=30, what=what)

    with ThreadPoolExecutor(3) as pool:
        writing, more = pool.submit(write), pool.submit(write)
        try:
            with unguarded(engine) as somebody:
                # A transaction that lasts: the migration cannot have the table, and must not keep others from it.
                somebody.execute(update(known["deliveries"]).where(known["deliveries"].c.id == ONE).values(attempts=2))
                migrating = pool.submit(migrate.upgrade, engine, "main")
                wait_for_more(20, "messages come in while the migration stands in line")
                assert not migrating.done()
            migrating.result(timeout=60)
            wait_for_more(20, "messages come in at the newest revision")
        finally:
            stop.set()
        writing.result(timeout=30)
        more.result(timeout=30)
    assert migrate.is_current(engine, "main")
    assert max(waits) < 5, f"the longest that a message waited: {max(waits):.2f} s"
    with reading(engine).begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar_one() == 20_001 + len(waits)


def grow(engine: Engine, table: Table, count: int) -> None:
    """Copy the one row of the table so many times, each under an id and number of its own."""
    own = {"id": "gen_random_uuid()", "notification_id": "gen_random_uuid()", "sequence": "number"}
    chosen = ", ".join(own.get(column.name, column.name) for column in table.c)
    with unguarded(engine) as connection:
        connection.execute(text(f"INSERT INTO {table.name} SELECT {chosen} FROM {table.name}, generate_series(1, {count}) AS number"))


def accept_and_deliver(engine: Engine, known: Mapping[str, Table]) -> None:
    """Do what a gateway and a worker of the oldest revision do, by the columns that they know, guards and all."""
    notification, message, delivery = uuid4(), uuid4(), uuid4()
    fields = {"authority": WORDS["authority"], "notification": str(notification)}
    with engine.begin() as connection:
        (event,) = append(connection, audit_tables, [Event("delivery:queued", AT, "gateway", str(notification), fields)])
        own: dict[str, dict[str, object]] = {
            "notifications": {"id": notification, "reference": notification.hex[:16], "business_key": notification.bytes * 2},
            "messages": {
                "id": message,
                "notification_id": notification,
                "message_key": message.bytes * 2,
                "request_id": message,
                "accepted_event": event.event_id,
            },
            "deliveries": {"id": delivery, "notification_id": notification, "message_id": message, "state": "queued"},
        }
        for name, values in own.items():
            row = {column.name: value_for(column, {}) for column in known[name].c}
            connection.execute(insert(known[name]), [row | values])
    with engine.begin() as connection:
        d = known["deliveries"].c
        connection.execute(select(known["deliveries"]).where(d.id == delivery).with_for_update(skip_locked=True)).one()
        connection.execute(update(known["deliveries"]).where(d.id == delivery).values(state="offered", attempts=2))
        append(connection, audit_tables, [Event("delivery:offered", AT, "worker", str(delivery), {"authority": WORDS["authority"]})])


def test_tables_of_a_later_version_are_left_alone_and_known_for_what_they_are(engine: Engine) -> None:
    migrate.upgrade(engine, "main")
    assert not migrate.is_ahead(engine, "main")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version_main SET version_num = '9999'"))
    assert migrate.is_ahead(engine, "main")
    migrate.upgrade(engine, "main")
    with engine.begin() as connection:
        assert migrate.revision_of(connection, "main") == "9999"
