# SPDX-License-Identifier: MIT
"""An inbox with thousands of notifications: each order of a list goes by its index, and a page takes as many statements as a small one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, select, text

from benchmarks.inbox.fill import fill
from notify_gateway.domain.casework import Sort, Tab
from notify_gateway.store.tables import clients
from notify_gateway.use_cases.inbox import read
from notify_gateway.use_cases.inbox.read import MOST_COUNTED, PER_PAGE, Filters
from tests.support.messages import a_message
from tests.support.services import PostgresServer
from tests.support.templates import Templates
from tests.use_cases.casework import Office, an_office
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, furnished

MANY = 3000
COUNTS = 8
STATEMENTS = 8
"""For whom it is, counts, rows, senders, members, notices, what is disputed; and where there are notices, what changed."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, templates: Templates, postgres_server: PostgresServer) -> Iterator[Office]:
    folder: Path = tmp_path_factory.mktemp("inbox")
    for house in furnished(folder, templates, postgres_server):
        made = an_office(house)
        with house.gateway.engine.begin() as connection:
            client: UUID = connection.execute(select(clients.c.id).where(clients.c.code == "RXX")).scalar_one()
            officers = [made.ann.id, made.bob.id]
            fill(connection, authority=STOCKTON, client=client, sender="RXX", count=MANY, officers=officers, today=date(2026, 11, 20))
        with house.gateway.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE"))
        yield made


@contextmanager
def listening(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Note the statements that the block sends."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        heard.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def plans_of(office: Office, filters: Filters) -> tuple[str, str]:
    """Return how PostgreSQL counts, and how it reads the page's rows."""
    engine = office.house.gateway.engine
    with listening(engine) as heard:
        read.list_cases(office.house.gateway, office.ann, filters)
    asked = [(statement, parameters) for statement, parameters in heard if "FROM cases" in statement and "case_notices" not in statement]
    with engine.connect() as connection:
        explained = [connection.exec_driver_sql(f"EXPLAIN {statement}", parameters) for statement, parameters in asked[:2]]
        counts, rows = ("\n".join(line[0] for line in plan) for plan in explained)
    return counts, rows


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(), "ix_cases_reply"),
        (Filters(late=True), "ix_cases_reply"),
        (Filters(sort=Sort.REPLY_BY, descending=True), "ix_cases_reply"),
        (Filters(sort=Sort.RECEIVED), "ix_cases_arrived"),
        (Filters(tab=Tab.FINISHED), "ix_cases_arrived"),
        (Filters(sort=Sort.NEED, descending=True), "ix_cases_need"),
        (Filters(tab=Tab.MINE), "ix_cases_officer"),
    ],
    ids=["to-do", "late", "reply-descending", "received", "finished", "need", "mine"],
)
def test_each_order_of_a_list_goes_by_its_index(office: Office, filters: Filters, index: str) -> None:
    counts, rows = plans_of(office, filters)
    assert f"using {index} on cases" in rows, rows
    assert "Seq Scan on cases" not in rows, rows
    assert counts.count("Aggregate") == counts.count("Limit") == COUNTS, "each count reads no more than it counts"


def test_a_page_of_many_takes_as_many_statements_as_a_page_of_few(office: Office) -> None:
    gateway = office.house.gateway
    office.arrives(a_message().to_authority(MIDDLESBROUGH).because("moved"))
    pages, counts = [], []
    for person in (office.ann, office.stranger):
        with listening(gateway.engine) as heard:
            pages.append(read.list_cases(gateway, person, Filters()))
        counts.append(len(heard))
    large, small = pages
    assert (len(large.rows), len(small.rows)) == (PER_PAGE, 1)
    assert counts[0] == counts[1] <= STATEMENTS
    assert (large.total.number, large.total.more, str(large.total)) == (MOST_COUNTED, True, "more than 1,000")
    assert (small.total.number, small.total.more) == (1, False)


def test_pages_follow_each_other_and_end_where_counting_ends(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    first, second = (read.list_cases(gateway, ann, Filters(), number) for number in (1, 2))
    assert (first.first, first.last, second.first, second.last) == (1, 25, 26, 50)
    rows = [row for page in (first, second) for row in page.rows]
    assert len({row.reference for row in rows}) == 50
    due = [row.reply_by.on for row in rows if row.reply_by is not None]
    assert due == sorted(due)
    last = read.list_cases(gateway, ann, Filters(), 4000)
    assert (last.page, last.more) == (MOST_COUNTED // PER_PAGE, False)


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        (Filters(need="HI"), lambda row: row.needs[0].code == "HI"),
        (Filters(need="sensory-and-physical"), lambda row: row.needs[0].code in ("HI", "VI", "MSI", "PD")),
        (Filters(age_from=2, age_to=2), lambda row: str(row.age).startswith("2 years")),
        (Filters(tab=Tab.NOT_ASSIGNED), lambda row: row.officer is None),
        (Filters(late=True), lambda row: row.reply_by is not None and row.reply_by.late),
        (Filters(new=True), lambda row: row.status == "received"),
        (Filters(received_from=date(2026, 1, 1), received_to=date(2026, 1, 31)), lambda row: row.received_at.month == 1),
        (Filters(sender="RYY"), None),
    ],
    ids=["need", "area", "age", "not-assigned", "late", "new", "received", "sender"],
)
def test_what_is_asked_for_is_what_is_shown(office: Office, filters: Filters, fits: Any) -> None:
    page = read.list_cases(office.house.gateway, office.ann, filters)
    assert bool(page.rows) is (fits is not None)
    assert all(fits(row) for row in page.rows)


def test_an_officer_s_own_and_a_reference_wherever_it_lies(office: Office) -> None:
    gateway = office.house.gateway
    mine = read.list_cases(gateway, office.bob, Filters(tab=Tab.MINE))
    assert {row.officer.name for row in mine.rows if row.officer} == {"Bob Baker"}
    done = read.list_cases(gateway, office.bob, Filters(tab=Tab.FINISHED)).rows[0].reference
    found = read.list_cases(gateway, office.bob, Filters(reference=done))
    assert [row.reference for row in found.rows] == [done]
    assert found.total.number == 1
