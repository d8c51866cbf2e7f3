# SPDX-License-Identifier: MIT
"""What can be read of the log's time stamps: the newest, that of a size, and since when one is due."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, select

from audit.reading import read_head
from audit.tables import AuditTables


@dataclass(frozen=True, slots=True)
class Stamped:
    """A time-stamping authority's answer over the checkpoint of ``size``; asked for at an instant in microseconds since 1970."""

    size: int
    requested_at: int
    reply: bytes


def stamped(connection: Connection, tables: AuditTables, timestamps: Table, *, size: int | None = None) -> Stamped | None:
    """Return the newest time stamp of the log that lives, or that of the checkpoint of ``size``; None if there is none."""
    stored = timestamps.c
    query = select(stored.size, stored.requested_at, stored.reply).where(stored.epoch == read_head(connection, tables).epoch)
    if size is not None:
        query = query.where(stored.size == size)
    row = connection.execute(query.order_by(stored.size.desc()).limit(1)).one_or_none()
    return Stamped(row.size, row.requested_at, row.reply) if row else None


def due_since(connection: Connection, tables: AuditTables, timestamps: Table, every: int) -> int | None:
    """Return the instant from which a further stamp is due, ``every`` microseconds after the last; None where nothing new is signed."""
    last, held = stamped(connection, tables, timestamps), tables.checkpoint.c
    query = select(held.signed_at).where(held.size > (last.size if last else -1)).order_by(held.size).limit(1)
    signed_at: int | None = connection.scalar(query)
    if last is None or signed_at is None:
        return signed_at
    return max(signed_at, last.requested_at + every)
