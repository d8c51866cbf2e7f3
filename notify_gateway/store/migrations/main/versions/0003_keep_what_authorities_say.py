# SPDX-License-Identifier: MIT
"""Keep what authorities say of a delivery once they have taken it up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "delivery_steps",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("suggested", sa.String(length=9), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("step in ('contacted', 'outcome', 'sent-back')", name=op.f("ck_delivery_steps_step")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_steps_delivery_id_deliveries")),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_delivery_steps")),
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("delivery_steps")
