# SPDX-License-Identifier: MIT
"""Keep logs that were closed beside the one that lives, and why the signer has stopped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEXED = ("event_id", "leaf_hash", "subject")


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "audit_origin",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("closed_size", sa.BigInteger()),
        sa.Column("closed_root", sa.LargeBinary(length=32)),
        sa.Column("closed_note", sa.Text()),
        sa.Column("held_size", sa.BigInteger()),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_audit_origin")),
    )
    op.create_table(
        "audit_past_leaf",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "idx", name=op.f("pk_audit_past_leaf")),
    )
    for column in _INDEXED:
        op.create_index(op.f(f"ix_audit_past_leaf_{column}"), "audit_past_leaf", [column])
    op.create_table(
        "audit_past_node",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("pos", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "level", "pos", name=op.f("pk_audit_past_node")),
    )
    op.create_table(
        "audit_past_checkpoint",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "size", name=op.f("pk_audit_past_checkpoint")),
    )
    op.create_table(
        "audit_stop",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_stop")),
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for table in ("audit_stop", "audit_past_checkpoint", "audit_past_node", "audit_past_leaf", "audit_origin"):
        op.drop_table(table)
