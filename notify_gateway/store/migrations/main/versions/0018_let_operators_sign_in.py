# SPDX-License-Identifier: MIT
"""Let operators be clients, and keep their sessions at the operations pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BEFORE, _NOW = "kind in ('trust', 'authority', 'ig')", "kind in ('trust', 'authority', 'ig', 'operator')"


def upgrade() -> None:
    """Bring the tables to this revision."""
    _replace_check(_BEFORE, _NOW)
    op.create_table(
        "operator_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("cookie_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_operator_sessions_token_id_tokens")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_sessions")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_operator_sessions_cookie_hash")),
    )
    op.create_index(op.f("ix_operator_sessions_token_id"), "operator_sessions", ["token_id"])


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("operator_sessions")
    _replace_check(_NOW, _BEFORE)


def _replace_check(old: str, new: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_clients_kind"), "clients", type_="check")
        op.create_check_constraint(op.f("ck_clients_kind"), "clients", new)
        return
    # As in 0007: other tables refer to this one, so its constraint is rewritten in place.
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    rewritten = sa.text("UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'clients'")
    connection.execute(rewritten, {"old": old, "new": new})
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
