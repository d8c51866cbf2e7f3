# SPDX-License-Identifier: MIT
"""Tables of logs that were closed, beside those of the one that lives; and why the signer has stopped, if it has."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import cast

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, SmallInteger, String, Table, Text, Uuid, select

from audit.merkle import HASH_SIZE
from audit.tables import AuditTables


@dataclass(frozen=True, slots=True)
class SuccessionTables:
    """The origins that there were, each with what it was closed at, and the leaves, nodes and checkpoints of the closed ones."""

    origin: Table
    leaf: Table
    node: Table
    checkpoint: Table
    stop: Table


def define(metadata: MetaData) -> SuccessionTables:
    """Return the tables, now part of ``metadata``. Instants are microseconds since 1970 in UTC; hashes are 32 bytes."""
    return SuccessionTables(
        origin=Table(
            "audit_origin",
            metadata,
            Column("epoch", Integer, primary_key=True, autoincrement=False),
            Column("origin", Text, nullable=False),
            Column("closed_at", BigInteger),
            Column("closed_size", BigInteger),
            Column("closed_root", LargeBinary(HASH_SIZE)),
            Column("closed_note", Text),
            Column("held_size", BigInteger),
            Column("entries_deleted_at", BigInteger),
        ),
        leaf=Table(
            "audit_past_leaf",
            metadata,
            _epoch(),
            Column("idx", BigInteger, primary_key=True, autoincrement=False),
            Column("event_id", Uuid, nullable=False, index=True),
            Column("leaf", LargeBinary, nullable=False),
            Column("leaf_hash", LargeBinary(HASH_SIZE), nullable=False, index=True),
            Column("created_at", BigInteger, nullable=False),
            Column("subject", String(200), nullable=False, index=True),
            Column("tag", String(60), nullable=False),
        ),
        node=Table(
            "audit_past_node",
            metadata,
            _epoch(),
            Column("level", SmallInteger, primary_key=True, autoincrement=False),
            Column("pos", BigInteger, primary_key=True, autoincrement=False),
            Column("hash", LargeBinary(HASH_SIZE), nullable=False),
        ),
        checkpoint=Table(
            "audit_past_checkpoint",
            metadata,
            _epoch(),
            Column("size", BigInteger, primary_key=True, autoincrement=False),
            Column("root", LargeBinary(HASH_SIZE), nullable=False),
            Column("note", Text, nullable=False),
            Column("signed_at", BigInteger, nullable=False),
        ),
        stop=Table(
            "audit_stop",
            metadata,
            Column("id", SmallInteger, primary_key=True, autoincrement=False),
            Column("reason", Text, nullable=False),
            Column("at", BigInteger, nullable=False),
        ),
    )


def closed(live: AuditTables, past: SuccessionTables, epoch: int) -> AuditTables:
    """Return a closed log in the form of a living one, to be read by all that reads one, and written to by nothing."""

    def of_epoch(table: Table) -> Table:
        columns = [column for column in table.c if column.name != "epoch"]
        return cast("Table", select(*columns).where(table.c.epoch == epoch).subquery())

    kept = {each.name: getattr(live, each.name) for each in fields(live)}
    return AuditTables(**kept | {"leaf": of_epoch(past.leaf), "node": of_epoch(past.node), "checkpoint": of_epoch(past.checkpoint)})


def _epoch() -> Column[int]:
    return Column("epoch", Integer, primary_key=True, autoincrement=False)
