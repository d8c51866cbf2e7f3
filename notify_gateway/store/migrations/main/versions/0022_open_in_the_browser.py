# SPDX-License-Identifier: MIT
"""Know the devices that hold a working key, and keep what officers note, sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards, row_level
from notify_gateway.store.engine import Instant

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLES = ("devices", "recovery_drills", "sealed_notes", "hand_overs")


def upgrade() -> None:
    """Bring the tables to this revision."""
    _devices()
    _drills()
    _notes()
    _hand_overs()
    for table in _TABLES:
        row_level.protect(op.get_bind(), table)
        if op.get_bind().dialect.name == "postgresql":
            guards.watch(op.get_bind(), table)


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.Column("enrolled_by", sa.String(length=80), nullable=False),
        sa.Column("enrolled_at", Instant(), nullable=False),
        sa.Column("ended_by", sa.String(length=80)),
        sa.Column("ended_at", Instant()),
        sa.Column("ended_because", sa.String(length=16)),
        sa.CheckConstraint("ended_because in ('lost', 'replaced', 'never-approved')", name=op.f("ck_devices_ended_because")),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_devices_authority_authorities")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("kid", name=op.f("uq_devices_kid")),
    )
    op.create_index(op.f("ix_devices_authority"), "devices", ["authority"])


def _drills() -> None:
    op.create_table(
        "recovery_drills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("answer_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("begun_by", sa.String(length=80), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("passed_by", sa.String(length=80)),
        sa.Column("passed_at", Instant()),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_recovery_drills_authority_authorities")),
        sa.ForeignKeyConstraint(["kid"], ["authority_keys.kid"], name=op.f("fk_recovery_drills_kid_authority_keys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_drills")),
    )
    op.create_index(op.f("ix_recovery_drills_authority"), "recovery_drills", ["authority"])


def _notes() -> None:
    op.create_table(
        "sealed_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("stored", sa.LargeBinary(), nullable=False),
        sa.Column("written_by", sa.String(length=80), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_sealed_notes_authority_authorities")),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], name=op.f("fk_sealed_notes_notification_id_notifications")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_sealed_notes_message_id_messages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_notes")),
    )
    op.create_index(op.f("ix_sealed_notes_notification_id"), "sealed_notes", ["notification_id", "written_at"])
    op.create_index(op.f("ix_sealed_notes_message_id"), "sealed_notes", ["message_id"])


def _hand_overs() -> None:
    op.create_table(
        "hand_overs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.CheckConstraint("kind in ('card', 'original')", name=op.f("ck_hand_overs_kind")),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_hand_overs_authority_authorities")),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], name=op.f("fk_hand_overs_notification_id_notifications")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_overs")),
    )
    op.create_index(op.f("ix_hand_overs_notification_id"), "hand_overs", ["notification_id", "person_id", "expires_at"])


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for table in reversed(_TABLES):
        op.drop_table(table)
