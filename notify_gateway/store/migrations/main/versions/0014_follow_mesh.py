# SPDX-License-Identifier: MIT
"""Keep what MESH says of what was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "mesh_messages",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.String(length=64)),
        sa.Column("mailbox", sa.String(length=20), nullable=False),
        sa.Column("workflow", sa.String(length=50), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.Column("due_at", Instant()),
        sa.Column("told_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.Column("ended_code", sa.String(length=40)),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_mesh_messages_delivery_id_deliveries")),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_mesh_messages")),
    )
    op.create_index(op.f("ix_mesh_messages_message_id"), "mesh_messages", ["message_id"])
    op.create_index("ix_mesh_messages_due", "mesh_messages", ["due_at"], postgresql_where=_DUE, sqlite_where=_DUE)


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("mesh_messages")
