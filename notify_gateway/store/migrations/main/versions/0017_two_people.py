# SPDX-License-Identifier: MIT
"""Let an authority and its keys come on by two people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards
from notify_gateway.store.engine import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "authority_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("decision", sa.String(length=16)),
        sa.Column("decided_by", sa.String(length=80)),
        sa.Column("decided_at", Instant()),
        sa.CheckConstraint("act in ('settings', 'registration', 'retirement')", name=op.f("ck_authority_proposals_act")),
        sa.CheckConstraint("decision in ('approved', 'refused', 'superseded')", name=op.f("ck_authority_proposals_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_proposals")),
    )
    op.create_index(op.f("ix_authority_proposals_authority"), "authority_proposals", ["authority"])
    op.create_index(op.f("ix_authority_proposals_subject"), "authority_proposals", ["subject"])
    if op.get_bind().dialect.name == "postgresql":
        guards.watch(op.get_bind(), "authority_proposals")


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("authority_proposals")
