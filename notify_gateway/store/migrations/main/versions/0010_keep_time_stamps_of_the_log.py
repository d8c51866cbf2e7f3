# SPDX-License-Identifier: MIT
"""Keep what a time-stamping authority says of the log's checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "audit_timestamp",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "size", name=op.f("pk_audit_timestamp")),
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("audit_timestamp")
