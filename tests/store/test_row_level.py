# SPDX-License-Identifier: MIT
"""Row-level security on PostgreSQL: under the pages' role a query that forgot its condition sees one organisation's rows, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, Table, func, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError

from notify_gateway.domain.staff import Role
from notify_gateway.store import roles, row_level
from notify_gateway.store.case_tables import SCOPED
from notify_gateway.store.engine import open_engine
from notify_gateway.store.row_level import ALL, POLICY, holds_rows, scoped
from notify_gateway.store.tables import kept_forms, metadata, staff, staff_sessions
from notify_gateway.use_cases import staff_sessions as sessions
from tests.support.services import PostgresServer
from tests.support.staff import MIDDLESBROUGH, STOCKTON, sign_in_as
from tests.support.templates import Templates
from tests.use_cases.conftest import House, furnished


@dataclass
class Parts:
    """A house with people of two authorities, and an engine that logs in as the service does."""

    house: House
    service: Engine


@pytest.fixture(scope="module")
def parts(postgres_server: PostgresServer, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with ExitStack() as stack:
        house = stack.enter_context(contextmanager(furnished)(tmp_path_factory.mktemp("rows"), templates, postgres_server))
        login = stack.enter_context(postgres_server.logins(("service",)))["service"]
        url = make_url(house.gateway.settings.main_url).set(username=login, password="tried out")
        with house.gateway.engine.begin() as connection:
            roles.set_up(connection, "main")
            roles.let_in(connection, url)
        for authority in (STOCKTON, MIDDLESBROUGH):
            cookie = sign_in_as(house.gateway, Role.OFFICER, authority=authority)
            sessions.keep_typed(house.gateway, cookie=cookie, path="/x", fields=[("note", "typed")])
        service = open_engine(url.render_as_string(hide_password=False), pool_size=2)
        yield Parts(house, service)
        service.dispose()


def owners(engine: Engine, table: Table, organisation: str) -> set[str]:
    column = "organisation" if "organisation" in table.c else "authority"
    with scoped(engine, organisation) as connection:
        return set(connection.scalars(select(table.c[column])))


@pytest.mark.parametrize("table", [staff, staff_sessions], ids=["staff", "staff_sessions"])
def test_a_query_without_a_condition_sees_the_own_organisation_s_rows(parts: Parts, table: Table) -> None:
    assert holds_rows(parts.service)
    assert owners(parts.service, table, STOCKTON) == {STOCKTON}
    assert owners(parts.service, table, MIDDLESBROUGH) == {MIDDLESBROUGH}
    assert owners(parts.service, table, "E06000001") == set()


def test_who_says_for_nobody_sees_nothing(parts: Parts) -> None:
    with parts.service.begin() as connection:
        connection.execute(text("SET LOCAL ROLE notify_web"))
        assert connection.scalar(select(func.count()).select_from(staff)) == 0
    with parts.service.begin() as connection:
        connection.execute(text("SELECT set_config('role', 'notify_web', true), set_config('app.organisation', '', true)"))
        assert connection.scalar(select(func.count()).select_from(staff)) == 0


def test_the_scope_ends_with_its_transaction(parts: Parts) -> None:
    with scoped(parts.service, STOCKTON):
        pass
    with parts.service.begin() as connection:
        assert connection.scalar(text("SELECT current_setting('app.organisation', true)")) in (None, "")
        assert connection.scalar(text("SELECT current_user")) != "notify_web"
        assert set(connection.scalars(select(staff.c.organisation))) == {STOCKTON, MIDDLESBROUGH}


def test_another_organisation_s_row_can_be_neither_changed_nor_made_one_s_own(parts: Parts) -> None:
    with scoped(parts.service, STOCKTON) as connection:
        assert connection.execute(update(staff).where(staff.c.organisation == MIDDLESBROUGH).values(name="Mine")).rowcount == 0
    with pytest.raises(DBAPIError) as error, scoped(parts.service, STOCKTON) as connection:
        connection.execute(update(staff).values(organisation=MIDDLESBROUGH))
    assert isinstance(error.value.orig, InsufficientPrivilege)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM kept_forms",
        "SELECT * FROM staff_sign_ins",
        "SELECT * FROM tokens",
        "DELETE FROM staff",
        "SELECT * FROM reveal_grants",
    ],
)
def test_the_pages_role_reaches_nothing_that_pages_do_not_need(parts: Parts, statement: str) -> None:
    with pytest.raises(ProgrammingError) as error, scoped(parts.service, STOCKTON) as connection:
        connection.execute(text(statement))
    assert isinstance(error.value.orig, InsufficientPrivilege)


def test_the_service_itself_sees_all_for_it_serves_all(parts: Parts) -> None:
    with parts.service.begin() as connection:
        for table in (staff, staff_sessions, kept_forms):
            assert set(connection.scalars(select(table.c.organisation))) == {STOCKTON, MIDDLESBROUGH}


def test_every_protected_table_has_both_policies_and_setting_the_roles_up_again_changes_nothing(parts: Parts) -> None:
    asked = text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema()")
    with parts.house.gateway.engine.begin() as connection:
        before = set(connection.execute(asked).all())
        roles.set_up(connection, "main")
        assert set(connection.execute(asked).all()) == before
    protected = {table for table, policy in before if policy == POLICY}
    assert {"staff", "staff_sessions", "kept_forms", *SCOPED} <= protected <= set(metadata.tables)
    assert {(table, ALL) for table in protected} <= before


def test_no_policy_names_a_role_for_a_copy_may_go_to_a_server_that_has_none(parts: Parts) -> None:
    with parts.house.gateway.engine.begin() as connection:
        assert set(connection.scalars(text("SELECT roles::text FROM pg_policies WHERE schemaname = current_schema()"))) == {"{public}"}


def test_the_owner_of_the_tables_works_without_the_roles(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_level, "WEB", "notify_nobody")
    row_level._ENTERED.clear()
    assert not holds_rows(parts.house.gateway.engine)
    assert owners(parts.house.gateway.engine, staff, STOCKTON) == {STOCKTON, MIDDLESBROUGH}
    row_level._ENTERED.clear()


def test_an_unguarded_change_of_a_session_does_not_commit(parts: Parts) -> None:
    with pytest.raises(DBAPIError, match="no event"), parts.service.begin() as connection:
        connection.execute(update(staff_sessions).values(stepped_up_at=parts.house.clock.now()))
    with parts.service.begin() as connection:
        another = {**connection.execute(select(staff).limit(1)).one()._mapping, "id": uuid4(), "subject_hash": bytes(32)}
    with pytest.raises(DBAPIError, match="no event"), parts.service.begin() as connection:
        connection.execute(insert(staff), [another])
