# SPDX-License-Identifier: MIT
"""Lay the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "shred_keys",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index(op.f("ix_shred_keys_created_at"), "shred_keys", ["created_at"], unique=False)


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_index(op.f("ix_shred_keys_created_at"), table_name="shred_keys")
    op.drop_table("shred_keys")
