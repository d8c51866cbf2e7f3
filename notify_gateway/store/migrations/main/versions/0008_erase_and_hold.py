# SPDX-License-Identifier: MIT
"""Keep what was erased, and what a legal hold keeps from being erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards
from notify_gateway.store.engine import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WATCHED = ("legal_holds", "erasures")


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("case_reference", sa.String(length=40), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("release_by", sa.String(length=200)),
        sa.Column("release_at", Instant()),
        sa.Column("released_by", sa.String(length=200)),
        sa.Column("released_at", Instant()),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], name=op.f("fk_legal_holds_notification_id_notifications")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(op.f("ix_legal_holds_notification_id"), "legal_holds", ["notification_id"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("case_reference", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("done_at", Instant()),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], name=op.f("fk_erasures_notification_id_notifications")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_notification_id"), "erasures", ["notification_id"])
    op.create_table(
        "erased_messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasures.id"], name=op.f("fk_erased_messages_erasure_id_erasures")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_erased_messages")),
    )
    op.create_index(op.f("ix_erased_messages_erasure_id"), "erased_messages", ["erasure_id"])
    if op.get_bind().dialect.name == "postgresql":
        for table in _WATCHED:
            guards.watch(op.get_bind(), table)


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for table in ("erased_messages", "erasures", "legal_holds"):
        op.drop_table(table)
