# SPDX-License-Identifier: MIT
"""Logs that were closed: what each was closed at, and the deletion of its entries once their time is over.

What proves stays: the hash of every entry, the tree above them, the signed checkpoints with their cosignatures, and the first entry, which
commits to the log before. So receipts hold, any tlog client can follow the closed log, and the chain from log to log is unbroken. What an
entry said is gone, and with its salt nobody can find it out by guessing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.schema import Table

from audit.cosignature import attach
from audit.cosigning_tables import CosigningTables
from audit.note import NoteRefused
from audit.succession_tables import SuccessionTables

OPENING = "log:opened"
_COSIGNED = 256
"""Cosignatures, the newest first, that a closed log keeps: of its last checkpoints, which cover all that was before them."""


@dataclass(frozen=True, slots=True)
class ClosedLog:
    """A log that was closed: its name, what it was closed at, and when its entries were deleted, if they were.

    ``note`` is the checkpoint that it was closed at, with the cosignatures that it had; ``held`` of its entries were in the database then.
    Instants are microseconds since 1970.
    """

    epoch: int
    origin: str
    size: int
    root: bytes
    note: str
    held: int
    closed_at: int
    deleted_at: int | None


def closed_logs(connection: Connection, past: SuccessionTables) -> list[ClosedLog]:
    """Return the logs that were closed, oldest first."""
    o = past.origin.c
    query = (
        select(o.epoch, o.origin, o.closed_size, o.closed_root, o.closed_note, o.held_size, o.closed_at, o.entries_deleted_at)
        .where(o.closed_at.is_not(None))
        .order_by(o.epoch)
    )
    return [_log(*row) for row in connection.execute(query)]


def delete_entries(connection: Connection, past: SuccessionTables, details: Table, log: ClosedLog, *, at: int) -> int:
    """The entries of the closed log say nothing any more, and their details are gone; return how many entries that were.

    The event that tells of it is the caller's. Only the owner of the tables can do it.
    """
    leaf = past.leaf.c
    these = (leaf.epoch == log.epoch, ~_is_opening(past))
    connection.execute(delete(details).where(details.c.event_id.in_(select(leaf.event_id).where(*these))))
    emptied = connection.execute(update(past.leaf).where(*these).values(leaf=b"", subject="", tag="", created_at=0))
    connection.execute(update(past.origin).where(past.origin.c.epoch == log.epoch).values(entries_deleted_at=at))
    return emptied.rowcount


def keep_cosignatures(
    connection: Connection, past: SuccessionTables, cosigning: CosigningTables, epoch: int, closing: str, size: int
) -> str:
    """The last checkpoints of the log that is put away bear their cosignatures; return ``closing``, that of ``size``, with its own."""
    stored, held = cosigning.cosignature.c, past.checkpoint.c
    latest: dict[tuple[int, str], str] = {}
    newest = select(stored.size, stored.witness_name, stored.line).order_by(stored.size.desc(), stored.at.desc()).limit(_COSIGNED)
    for cosigned, witness, line in connection.execute(newest):
        latest.setdefault((cosigned, witness), line)
    lines: defaultdict[int, list[str]] = defaultdict(list)
    for (cosigned, _), line in latest.items():
        lines[cosigned].append(line)
    notes = connection.execute(select(held.size, held.note).where(held.epoch == epoch, held.size.in_(list(lines)))).all()
    for row in notes:
        changed = update(past.checkpoint).where(held.epoch == epoch, held.size == row.size)
        connection.execute(changed.values(note=_attached(row.note, lines[row.size])))
    return _attached(closing, lines[size])


def _attached(note: str, lines: list[str]) -> str:
    try:
        return attach(note, lines)
    except NoteRefused:
        return note  # who may write to the table of cosignatures may spoil them, and not the checkpoint


def _is_opening(past: SuccessionTables) -> ColumnElement[bool]:
    return (past.leaf.c.idx == 0) & (past.leaf.c.tag == OPENING)


def _log(epoch: int, origin: str, size: int, root: bytes, note: str, held: int, closed_at: int, deleted_at: int | None) -> ClosedLog:
    return ClosedLog(epoch, origin, size, bytes(root), note, held, closed_at, deleted_at)
