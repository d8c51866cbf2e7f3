# SPDX-License-Identifier: MIT
"""Keep acts that cannot be undone (an opening, an export) from their beginning until their result is recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "open_acts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_acts")),
    )
    op.create_index(op.f("ix_open_acts_begun_at"), "open_acts", ["begun_at"])


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("open_acts")
