# SPDX-License-Identifier: MIT
"""An export as an answer, on each database: whole, broken off by the reader, not taken in time, cut off by a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from audit.events import read_leaf
from audit.export import verify_export
from notify_gateway.api import streams
from notify_gateway.api.streams import ExportResponse
from notify_gateway.domain.errors import Unavailable
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import audit_tables, open_acts
from notify_gateway.use_cases import exporting
from tests.support.messages import a_message
from tests.use_cases.conftest import House, house  # noqa: F401 - a fixture

Send = Callable[[dict[str, Any]], Awaitable[None]]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "BATCH", 2)


class Reader:
    """The other end: takes what is sent, and goes away after so many pages."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.taken: list[bytes] = []
        self.ended = False
        self._leaves_after = leaves_after
        self._gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.taken.append(message["body"])
            self.ended = not message["more_body"]
        if self._leaves_after is not None and len(self.taken) > self._leaves_after:
            self._gone.set()
            await asyncio.sleep(0)


def filled(house: House) -> None:  # noqa: F811
    for _ in range(3):
        house.accept(a_message())
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()


def serve(house: House, reader: Reader, send: Send | None = None) -> None:  # noqa: F811
    export = exporting.begin(house.gateway, actor="ig:dpo")
    asyncio.run(ExportResponse(export)({}, reader.receive, send or reader.send))  # type: ignore[arg-type]


def told(house: House) -> list[tuple[str, object]]:  # noqa: F811
    pending = audit_tables.pending.c
    with house.gateway.engine.begin() as connection:
        events = [read_leaf(leaf) for leaf in connection.scalars(select(pending.leaf).order_by(pending.arrival))]
    return [(event.tag, event.fields.get("count")) for event in events]


def test_a_reader_that_stays_gets_the_whole_log_in_pages(house: House) -> None:  # noqa: F811
    filled(house)
    reader = Reader()
    serve(house, reader)
    verdict = verify_export(b"".join(reader.taken).splitlines(), [house.runtime.public.log])
    assert reader.ended
    assert max(page.count(b"\n") for page in reader.taken) == 2
    assert told(house) == [("export:attempted", None), ("log:exported", verdict.checkpoint.size)]


def test_a_reader_that_goes_away_ends_the_export_and_that_is_recorded(house: House) -> None:  # noqa: F811
    filled(house)
    reader = Reader(leaves_after=2)
    serve(house, reader)
    assert not reader.ended
    assert len(reader.taken) < 6
    (_, (tag, count)) = told(house)
    assert tag == "export:failed"
    assert isinstance(count, int)
    assert count <= 8


def test_a_reader_that_does_not_read_is_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    filled(house)
    monkeypatch.setattr(streams, "TAKEN_WITHIN", 0.01)

    async def stuck(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    serve(house, Reader(), stuck)
    assert told(house)[-1] == ("export:failed", 0)


def test_a_database_that_goes_away_leaves_the_act_to_the_sweeper(house: House, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    filled(house)

    def away(_: exporting.Export, **__: bool) -> None:
        raise SQLAlchemyError

    reader = Reader()
    monkeypatch.setattr(exporting.Export, "page", away)
    monkeypatch.setattr(exporting.Export, "end", away)
    with pytest.raises(SQLAlchemyError):
        serve(house, reader)
    assert not reader.ended
    assert house.count(open_acts) == 1


def test_before_the_first_checkpoint_there_is_nothing_to_export_and_nothing_is_begun(house: House) -> None:  # noqa: F811
    house.accept(a_message())
    with pytest.raises(Unavailable):
        exporting.begin(house.gateway, actor="ig:dpo")
    assert house.count(open_acts) == 0
