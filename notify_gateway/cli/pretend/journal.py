# SPDX-License-Identifier: MIT
"""What the pretend authority holds: every delivery once, by its id, and the nonces that were used. Sealed documents only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

_TABLES = """
create table if not exists applied (
    delivery_id text primary key, reference text not null, event text not null, digest text not null, how text not null,
    applied_at text not null, acknowledged_at text, document blob not null
);
create table if not exists arrivals (delivery_id text not null, how text not null, arrived_at text not null);
create table if not exists nonces (nonce text primary key, until real not null);
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery document as it arrived, by webhook or pull, at an instant."""

    delivery_id: str
    reference: str
    event: str
    digest: str
    how: str
    at: datetime
    document: bytes


class Journal:
    """One SQLite file. What a method has written is on the disk when it returns; used from one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in ("pragma journal_mode=wal", "pragma synchronous=full"):
            self._connection.execute(statement)
        self._connection.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def apply(self, arrival: Arrival) -> bool:
        """Keep the delivery, unless it is kept already; tell whether it is new. Applying twice has one effect."""
        at = arrival.at.isoformat()
        with self._connection, closing(self._connection.cursor()) as cursor:
            cursor.execute("begin immediate")
            cursor.execute("insert into arrivals values (?, ?, ?)", (arrival.delivery_id, arrival.how, at))
            cursor.execute(
                "insert into applied values (?, ?, ?, ?, ?, ?, null, ?) on conflict do nothing",
                (arrival.delivery_id, arrival.reference, arrival.event, arrival.digest, arrival.how, at, arrival.document),
            )
            return cursor.rowcount == 1

    def acknowledged(self, delivery_id: str, at: datetime) -> None:
        """Note that the service took the acknowledgement."""
        self._connection.execute("update applied set acknowledged_at = ? where delivery_id = ?", (at.isoformat(), delivery_id))

    def to_acknowledge(self) -> list[tuple[str, str]]:
        """Return delivery id and reference of what is held and not acknowledged, oldest first."""
        query = "select delivery_id, reference from applied where acknowledged_at is null order by applied_at"
        return [(row[0], row[1]) for row in self._connection.execute(query)]

    def count(self) -> int:
        """Return how many deliveries are held."""
        return int(self._connection.execute("select count(*) from applied").fetchone()[0])

    def first_use(self, nonce: str, *, until: datetime) -> bool:
        """Return True once for each nonce, as the reference receiver asks for; forgets those that are out of date anyway."""
        self._connection.execute("delete from nonces where until < ?", (until.timestamp() - 2 * 86400,))
        made = self._connection.execute("insert into nonces values (?, ?) on conflict do nothing", (nonce, until.timestamp()))
        return made.rowcount == 1
