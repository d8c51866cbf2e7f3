# SPDX-License-Identifier: MIT
"""Know members of staff and their sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards, row_level
from notify_gateway.store.engine import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    _people()
    _coming_and_going()
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        guards.watch_staff(connection)
    for table in ("staff", "staff_sessions", "kept_forms"):
        row_level.protect(connection, table, "organisation")


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for table in ("kept_forms", "staff_sign_ins", "staff_sessions", "staff"):
        op.drop_table(table)


def _people() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation", sa.String(length=16), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("roles", sa.String(length=120), nullable=False),
        sa.Column("roles_from", sa.String(length=10), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("last_at", Instant()),
        sa.Column("leave_until", sa.Date()),
        sa.Column("deputy", sa.Uuid()),
        sa.Column("closed_at", Instant()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("organisation", "subject_hash", name=op.f("uq_staff_organisation_subject_hash")),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("organisation", sa.String(length=16), nullable=False),
        sa.Column("cookie_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("stepped_up_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_sessions_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_staff_sessions_cookie_hash")),
    )
    for column in ("staff_id", "organisation", "expires_at"):
        op.create_index(op.f(f"ix_staff_sessions_{column}"), "staff_sessions", [column])


def _coming_and_going() -> None:
    op.create_table(
        "staff_sign_ins",
        sa.Column("state_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("goes_to", sa.String(length=500), nullable=False),
        sa.Column("session_id", sa.Uuid()),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_staff_sign_ins")),
    )
    op.create_table(
        "kept_forms",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("organisation", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["staff_sessions.id"], name=op.f("fk_kept_forms_session_id_staff_sessions")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_kept_forms")),
    )
    for table in ("staff_sign_ins", "kept_forms"):
        op.create_index(op.f(f"ix_{table}_expires_at"), table, ["expires_at"])
