# SPDX-License-Identifier: MIT
"""Keep what the outbox decides: what is parked, which circuit is open, which downtime is planned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards
from notify_gateway.store.engine import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = ("requeued_at", "parked_at", "given_up_at")


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("deliveries", sa.Column("spared", sa.Integer(), nullable=False, server_default="0"))
    for name in _COLUMNS:
        op.add_column("deliveries", sa.Column(name, Instant()))
    op.add_column("deliveries", sa.Column("parked_code", sa.String(length=40)))
    op.drop_index("ix_deliveries_queued", "deliveries")
    _index("ix_deliveries_queued", ["authority", "due_at"], "state = 'queued' AND parked_at IS NULL")
    _index("ix_deliveries_parked", ["authority"], "state = 'queued' AND parked_at IS NOT NULL")
    op.create_table(
        "circuits",
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened_at", Instant()),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("paused_until", Instant()),
        sa.Column("probe", sa.Uuid()),
        sa.Column("last_code", sa.String(length=40)),
        sa.Column("failed_at", Instant()),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_circuits_authority_authorities")),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_circuits")),
    )
    op.create_table(
        "downtimes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("planned_by", sa.String(length=200), nullable=False),
        sa.Column("planned_at", Instant(), nullable=False),
        sa.Column("ended_by", sa.String(length=200)),
        sa.Column("ended_at", Instant()),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_downtimes_span")),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_downtimes_authority_authorities")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downtimes")),
    )
    op.create_index(op.f("ix_downtimes_authority"), "downtimes", ["authority"])
    if op.get_bind().dialect.name == "postgresql":
        guards.watch_policy(op.get_bind())


def downgrade() -> None:
    """Take the tables back to the revision before; what is parked is due again."""
    if op.get_bind().dialect.name == "postgresql":
        guards.unwatch_policy(op.get_bind())
    op.drop_table("downtimes")
    op.drop_table("circuits")
    for name in ("ix_deliveries_parked", "ix_deliveries_queued"):
        op.drop_index(name, "deliveries")
    for name in (*_COLUMNS, "parked_code", "spared"):
        op.drop_column("deliveries", name)
    _index("ix_deliveries_queued", ["due_at"], "state = 'queued'")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "deliveries", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
