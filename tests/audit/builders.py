# SPDX-License-Identifier: MIT
"""A log on a real database, for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, delete, insert, select

from audit.events import Event
from audit.log import Appended, Sequencer, append
from audit.note import Signer
from audit.reading import export_lines, latest_checkpoint, read_leaves, receipt_for
from audit.tables import define
from notify_gateway.store.engine import open_engine

ORIGIN = "log.example/2026"
SIGNER = Signer.from_seed(ORIGIN, b"log signing key of these tests!!")
OTHER_SIGNER = Signer.from_seed(ORIGIN, b"another key under the same name!")
START = datetime(2026, 9, 1, 9, tzinfo=UTC)

METADATA = MetaData()
TABLES = define(METADATA)
ALL_TABLES = (TABLES.pending, TABLES.leaf, TABLES.node, TABLES.head, TABLES.checkpoint)

Dump = Mapping[str, Sequence[dict[str, Any]]]


def events(count: int, *, first: int = 0) -> list[Event]:
    return [Event("task:viewed", START + timedelta(seconds=first + i), "client:RVW", f"notification-{first + i}") for i in range(count)]


class LogUnderTest:
    """A database with the log's tables, and a guard file."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.guard = folder / "guard"
        self.engine: Engine = open_engine(url)
        METADATA.create_all(self.engine)
        self.appended: list[Appended] = []
        self._sequencers: list[Sequencer] = []

    def sequencer(self, kind: type[Sequencer] = Sequencer, *, signer: Signer = SIGNER, guard: Path | None = None) -> Sequencer:
        made = kind(engine=self.engine, tables=TABLES, signer=signer, origin=signer.name, guard_path=guard or self.guard, now=lambda: START)
        self._sequencers.append(made)
        return made

    def add(self, count: int) -> list[Appended]:
        with self.engine.begin() as connection:
            made = append(connection, TABLES, events(count, first=len(self.appended)))
        self.appended += made
        return made

    def receipt(self, entry: Appended) -> str | None:
        with self.engine.begin() as connection:
            return receipt_for(connection, TABLES, entry.event_id)

    def checkpoint(self) -> str:
        with self.engine.begin() as connection:
            note = latest_checkpoint(connection, TABLES)
        assert note is not None
        return note

    def leaves(self) -> list[bytes]:
        with self.engine.begin() as connection:
            return [leaf for _, _, leaf in read_leaves(connection, TABLES, start=0, limit=1_000_000)]

    def export(self) -> str:
        with self.engine.begin() as connection:
            return "".join(f"{line.decode()}\n" for line in export_lines(connection, TABLES))

    def dump(self) -> Dump:
        with self.engine.begin() as connection:
            return {table.name: [dict(row._mapping) for row in connection.execute(select(table))] for table in ALL_TABLES}

    def restore(self, dump: Dump) -> None:
        """Put the rows back, as the restoring of an old backup does."""
        with self.engine.begin() as connection:
            for table in ALL_TABLES:
                connection.execute(delete(table))
                if dump[table.name]:
                    connection.execute(insert(table), dump[table.name])

    def close(self) -> None:
        for sequencer in self._sequencers:
            sequencer.close()
        self.engine.dispose()


def opened(url: str, folder: Path) -> Iterator[LogUnderTest]:
    log = LogUnderTest(url, folder)
    try:
        yield log
    finally:
        log.close()
