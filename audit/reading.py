# SPDX-License-Identifier: MIT
"""What can be read of the log: its head, checkpoints, receipts, leaves, the export, and how long events have waited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, literal, select, tuple_, union_all

from audit.events import micros
from audit.export import head_line, leaf_line
from audit.merkle import EMPTY_ROOT, Address, ProofInvalid, ReadNode, inclusion_proof, inclusion_ranges, subtrees
from audit.receipts import Receipt
from audit.tables import AuditTables

BATCH = 2000
"""Leaves that one statement of an export reads."""


class LogDamaged(ProofInvalid):
    """What the tables hold is not the tree that the log says it is."""


@dataclass(frozen=True, slots=True)
class Head:
    """How many leaves are in the tree, the root over them, and the epoch of the log's origin."""

    size: int
    root: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed checkpoint: its size, its note, and when it was signed in microseconds since 1970."""

    size: int
    note: str
    signed_at: int


def read_head(connection: Connection, tables: AuditTables) -> Head:
    """Return the head of the tree; that of an empty tree before the first leaf."""
    row = connection.execute(select(tables.head.c.size, tables.head.c.root, tables.head.c.epoch)).one_or_none()
    return Head(row.size, row.root, row.epoch) if row else Head(0, EMPTY_ROOT, 0)


def latest_checkpoint(connection: Connection, tables: AuditTables) -> str | None:
    """Return the note of the last signed checkpoint, or None before the first."""
    signed = latest_signed(connection, tables)
    return signed.note if signed else None


def latest_signed(connection: Connection, tables: AuditTables) -> Signed | None:
    """Return the last signed checkpoint, or None before the first."""
    stored = tables.checkpoint.c
    newest = connection.execute(select(stored.size, stored.note, stored.signed_at).order_by(stored.size.desc()).limit(1)).one_or_none()
    return Signed(newest.size, newest.note, newest.signed_at) if newest else None


def signed_of_size(connection: Connection, tables: AuditTables, size: int) -> Signed | None:
    """Return the signed checkpoint of exactly this size, or None: not every size was signed."""
    stored = tables.checkpoint.c
    row = connection.execute(select(stored.size, stored.note, stored.signed_at).where(stored.size == size)).one_or_none()
    return Signed(row.size, row.note, row.signed_at) if row else None


def receipt_for(connection: Connection, tables: AuditTables, entry: UUID | bytes, *, preferred: Signed | None = None) -> str | None:
    """Return the receipt for an event id or a leaf hash; None while no checkpoint covers it.

    It leads to the ``preferred`` checkpoint if that covers the entry, else to the latest.
    """
    leaf = tables.leaf.c
    column = leaf.event_id if isinstance(entry, UUID) else leaf.leaf_hash
    index = connection.scalar(select(func.min(leaf.idx)).where(column == entry))
    signed = preferred if preferred and index is not None and index < preferred.size else latest_signed(connection, tables)
    if index is None or signed is None or index >= signed.size:
        return None
    read = node_reader(connection, tables, inclusion_ranges(index, signed.size))
    return Receipt(index, tuple(inclusion_proof(index, signed.size, read)), signed.note).to_text()


def oldest_pending_age(connection: Connection, tables: AuditTables, now: datetime) -> float | None:
    """Return for how many seconds the oldest pending event has waited, or None if none does."""
    oldest = connection.scalar(select(tables.pending.c.created_at).order_by(tables.pending.c.arrival).limit(1))
    return None if oldest is None else (micros(now) - oldest) / 1_000_000


def read_leaves(connection: Connection, tables: AuditTables, *, start: int, limit: int) -> list[tuple[int, UUID, bytes]]:
    """Return up to ``limit`` leaves from index ``start`` on, in order, each as index, event id and bytes."""
    leaf = tables.leaf.c
    query = select(leaf.idx, leaf.event_id, leaf.leaf).where(leaf.idx >= start).order_by(leaf.idx).limit(limit)
    return [(row.idx, row.event_id, row.leaf) for row in connection.execute(query)]


def read_hashed(connection: Connection, tables: AuditTables, *, start: int, limit: int) -> list[tuple[int, bytes, bytes]]:
    """Return up to ``limit`` entries from index ``start`` on, in order, each as index, bytes (none once they were deleted) and hash."""
    leaf = tables.leaf.c
    query = select(leaf.idx, leaf.leaf, leaf.leaf_hash).where(leaf.idx >= start).order_by(leaf.idx).limit(limit)
    return [(row.idx, bytes(row.leaf), bytes(row.leaf_hash)) for row in connection.execute(query)]


def export_lines(connection: Connection, tables: AuditTables) -> Iterator[bytes]:
    """Yield the signed log in the form of ``audit.export``: the latest checkpoint, then each leaf that it covers; nothing without one.

    Lines come without their ends.
    """
    signed = latest_signed(connection, tables)
    if signed is None:
        return
    yield head_line(signed.note)
    for start in range(0, signed.size, BATCH):
        for index, _, leaf in read_leaves(connection, tables, start=start, limit=min(BATCH, signed.size - start)):
            yield leaf_line(index, leaf)


def node_reader(connection: Connection, tables: AuditTables, ranges: Iterable[tuple[int, int]]) -> ReadNode:
    """Return a reader of the subtrees that cover the ranges, all read by one statement; it raises LogDamaged for one that is not stored."""
    addresses = [address for span in ranges for address in subtrees(*span)]
    leaf, node = tables.leaf.c, tables.node.c
    leaves = [position for level, position in addresses if level == 0]
    above = [address for address in addresses if address[0] > 0]
    stored = union_all(
        select(literal(0).label("level"), leaf.idx.label("pos"), leaf.leaf_hash.label("hash")).where(leaf.idx.in_(leaves)),
        select(node.level, node.pos, node.hash).where(tuple_(node.level, node.pos).in_(above)),
    )
    known: dict[Address, bytes] = {(row.level, row.pos): row.hash for row in connection.execute(stored)} if addresses else {}

    def read(level: int, position: int) -> bytes:
        try:
            return known[level, position]
        except KeyError as error:
            raise LogDamaged("a subtree of the log is missing") from error

    return read
