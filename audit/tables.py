# SPDX-License-Identifier: MIT
"""The log's tables, for PostgreSQL and SQLite: what is pending, what is in the log, and what was signed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Table, Text, Uuid

from audit.merkle import HASH_SIZE


@dataclass(frozen=True, slots=True)
class AuditTables:
    """The five tables of one log."""

    pending: Table
    leaf: Table
    node: Table
    head: Table
    checkpoint: Table


def define(metadata: MetaData) -> AuditTables:
    """Return the log's tables, now part of ``metadata``. Instants are microseconds since 1970 in UTC; hashes are 32 bytes."""
    return AuditTables(
        pending=Table(
            "audit_pending",
            metadata,
            # The order of arrival, which no clock can turn round: what was committed before an act began arrived before it. Gaps happen.
            Column("arrival", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
            Column("event_id", Uuid, nullable=False, unique=True),
            Column("leaf", LargeBinary, nullable=False),
            Column("leaf_hash", LargeBinary(HASH_SIZE), nullable=False),
            Column("created_at", BigInteger, nullable=False),
            *_outline(),
        ),
        leaf=Table(
            "audit_leaf",
            metadata,
            Column("idx", BigInteger, primary_key=True, autoincrement=False),
            Column("event_id", Uuid, nullable=False, unique=True),
            Column("leaf", LargeBinary, nullable=False),
            Column("leaf_hash", LargeBinary(HASH_SIZE), nullable=False, index=True),
            Column("created_at", BigInteger, nullable=False),
            *_outline(),
            # Leaves come nearly in the order of time: on PostgreSQL the bounds of each stretch of pages suffice, and cost next to nothing.
            Index("ix_audit_leaf_created_at", "created_at", postgresql_using="brin"),
        ),
        node=Table(
            "audit_node",
            metadata,
            Column("level", SmallInteger, primary_key=True, autoincrement=False),
            Column("pos", BigInteger, primary_key=True, autoincrement=False),
            Column("hash", LargeBinary(HASH_SIZE), nullable=False),
            CheckConstraint("level > 0", name="audit_node_above_leaves"),
        ),
        head=Table(
            "audit_head",
            metadata,
            Column("id", SmallInteger, primary_key=True, autoincrement=False),
            Column("size", BigInteger, nullable=False),
            Column("root", LargeBinary(HASH_SIZE), nullable=False),
            Column("epoch", Integer, nullable=False),
            CheckConstraint("id = 1", name="audit_head_is_one_row"),
        ),
        checkpoint=Table(
            "audit_checkpoint",
            metadata,
            Column("size", BigInteger, primary_key=True, autoincrement=False),
            Column("root", LargeBinary(HASH_SIZE), nullable=False),
            Column("note", Text, nullable=False),
            Column("signed_at", BigInteger, nullable=False),
        ),
    )


def _outline() -> tuple[Column[str], Column[str]]:
    # What a leaf is about, to find it by; the leaf itself is the record, and the export does not look here.
    return Column("subject", String(200), nullable=False, index=True), Column("tag", String(60), nullable=False)
