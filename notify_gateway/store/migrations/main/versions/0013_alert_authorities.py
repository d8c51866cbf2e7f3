# SPDX-License-Identifier: MIT
"""Keep where authorities are alerted, and of what they have been told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards
from notify_gateway.store.engine import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LIVE = "removed_at IS NULL"


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "alert_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant()),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", Instant()),
        sa.Column("last_code", sa.String(length=40)),
        sa.Column("sent_at", Instant()),
        sa.CheckConstraint("kind in ('email', 'webhook')", name=op.f("ck_alert_addresses_kind")),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_alert_addresses_authority_authorities")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_addresses")),
    )
    op.create_index(op.f("ix_alert_addresses_authority"), "alert_addresses", ["authority"])
    op.create_index(
        "uq_alert_addresses_live",
        "alert_addresses",
        ["authority", "kind", "address"],
        unique=True,
        postgresql_where=sa.text(_LIVE),
        sqlite_where=sa.text(_LIVE),
    )
    op.create_table(
        "alerted",
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["alert_addresses.id"], name=op.f("fk_alerted_address_id_alert_addresses")),
        sa.PrimaryKeyConstraint("address_id", "delivery_id", name=op.f("pk_alerted")),
    )
    if op.get_bind().dialect.name == "postgresql":
        guards.watch(op.get_bind(), "alert_addresses")


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for table in ("alerted", "alert_addresses"):
        op.drop_table(table)
