# SPDX-License-Identifier: MIT
"""Details beside the log: written with their event in one transaction, read for who may, erased without a trace in any proof."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, Uuid, delete, insert, select

from audit.detail import FIELD, SALT_SIZE, Detail
from audit.events import Event
from audit.log import Appended, append
from audit.tables import AuditTables


def define(metadata: MetaData) -> Table:
    """Return the table of details, now part of ``metadata``. It is no table of the log: rows may go."""
    return Table(
        "event_details",
        metadata,
        Column("event_id", Uuid, primary_key=True),
        # What the detail is about, by which it is erased.
        Column("about", String(200), nullable=False, index=True),
        Column("salt", LargeBinary(SALT_SIZE), nullable=False),
        Column("content", LargeBinary, nullable=False),
    )


def append_with_detail(
    connection: Connection, tables: AuditTables, details: Table, event: Event, detail: Detail, *, about: str
) -> Appended:
    """The event, which commits to the detail, is pending and the detail kept if the caller's transaction commits."""
    (made,) = append(connection, tables, [replace(event, fields={**event.fields, FIELD: detail.commitment})])
    row = {"event_id": made.event_id, "about": about, "salt": detail.salt, "content": detail.content}
    connection.execute(insert(details), [row])
    return made


def read(connection: Connection, details: Table, *, about: Collection[str]) -> dict[UUID, Detail]:
    """Return the details about these things that are still there, by the event that commits to each."""
    rows = connection.execute(select(details.c.event_id, details.c.salt, details.c.content).where(details.c.about.in_(about)))
    return {row.event_id: Detail(bytes(row.salt), bytes(row.content)) for row in rows}


def erase(connection: Connection, details: Table, *, about: Collection[str]) -> int:
    """Delete all details about these things, salts and all; return how many."""
    return connection.execute(delete(details).where(details.c.about.in_(about))).rowcount
