# SPDX-License-Identifier: MIT
"""Rows and sheets on both databases: the list's own order, none twice and none left out, a number of statements that rows do not raise."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import pytest
from sqlalchemy import event, select

from audit.events import Event, read_leaf
from notify_gateway.domain.casework import Sort, Tab
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotAllowed, NotFound, Refused
from notify_gateway.domain.staff import Role
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.inbox import download, printing, read
from notify_gateway.use_cases.inbox.lists import Filters
from notify_gateway.use_cases.inbox.printing import Kind
from tests.support.messages import a_message
from tests.use_cases.casework import Office, an_office
from tests.use_cases.conftest import MIDDLESBROUGH, House


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    """Give the statements that are sent while the block runs."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(house.gateway.engine, "before_cursor_execute", note)
    yield said
    event.remove(house.gateway.engine, "before_cursor_execute", note)


def rows(office: Office, filters: Filters) -> list[str]:
    made = download.download(office.house.gateway, by=office.ann, filters=filters, medium="csv")
    content = b"".join(part for page in iter(made.page, []) for part in page)
    made.end(whole=True)
    return [line["reference"] for line in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))]


def told(house: House, *tags: str) -> list[Event]:
    with house.gateway.engine.begin() as connection:
        found = connection.scalars(select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival))
        return [each for each in map(read_leaf, found) if each.tag in tags]


def test_a_file_has_the_rows_of_the_list_in_its_order_and_a_pack_each_notification_once(house: House) -> None:
    office = an_office(house)
    references = [office.arrives(a_message()) for _ in range(5)]
    for filters in (Filters(), Filters(sort=Sort.RECEIVED, descending=True), Filters(sort=Sort.NEED), Filters(tab=Tab.FINISHED)):
        listed = [each.reference for each in read.list_cases(house.gateway, office.ann, filters).rows]
        with mock.patch.object(download, "AT_ONCE", 2):
            assert rows(office, filters) == listed, filters
    with counted(house) as few:
        rows(office, Filters(reference=references[0]))
    with counted(house) as many:
        rows(office, Filters())
    assert len(few) == len(many)
    begun, ended = told(house, "download:attempted", "download:handed_over")[-2:]
    assert (begun.fields["count"], ended.fields["count"], ended.actor) == (5, 5, office.ann.actor)

    pack = printing.print_pack(house.gateway, by=office.ann, references=[references[1], references[0], references[1]], medium="pdf")
    assert [each.row.reference for each in pack] == [references[1], references[0]]
    printed = told(house, "notification:printed")
    assert [each.subject for each in printed] == [str(each.notification_id) for each in pack]
    assert {each.fields["kind"] for each in printed} == {"panel-sheet"}


def test_nothing_is_taken_away_by_whoever_may_not_or_of_another_authority(house: House) -> None:
    office = an_office(house)
    reference = office.arrives(a_message())
    lead = replace(office.ann, roles=frozenset({Role.STRATEGIC_LEAD}))
    with pytest.raises(NotAllowed):
        download.download(house.gateway, by=lead, filters=Filters(), medium="xlsx")
    with pytest.raises(NotAllowed):
        printing.print_one(house.gateway, by=lead, reference=reference, kind=Kind.SHEET, medium="page")
    with pytest.raises(NotFound):
        printing.print_one(house.gateway, by=office.stranger, reference=reference, kind=Kind.PARENT_COPY, medium="pdf")
    assert office.stranger.organisation == MIDDLESBROUGH
    empty = download.download(house.gateway, by=office.stranger, filters=Filters(reference=reference), medium="csv")
    assert len(empty.ids) == 0
    for references in ([], [f"SEN-{number}" for number in range(printing.MOST_IN_PACK + 1)]):
        with pytest.raises(Refused) as refused:
            printing.print_pack(house.gateway, by=office.ann, references=references, medium="page")
        assert refused.value.issues[0].code == Code.PACK_SIZE
    assert told(house, "notification:printed") == []
