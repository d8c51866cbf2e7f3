# SPDX-License-Identifier: MIT
"""Keep what the checks of the invariants found, and when periodic work was last begun."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "invariant_findings",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reach", sa.String(length=8), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.Column("said", sa.String(length=400), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_invariant_findings")),
    )
    op.create_index(op.f("ix_invariant_findings_at"), "invariant_findings", ["at"])
    op.create_table(
        "periodic_work",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_periodic_work")),
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("periodic_work")
    op.drop_table("invariant_findings")
