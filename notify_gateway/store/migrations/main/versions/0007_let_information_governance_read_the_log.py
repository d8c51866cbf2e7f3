# SPDX-License-Identifier: MIT
"""Let information governance be a client; find leaves by when they were made; keep details of events where they can be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BEFORE, _NOW = "kind in ('trust', 'authority')", "kind in ('trust', 'authority', 'ig')"


def upgrade() -> None:
    """Bring the tables to this revision."""
    _replace_check(_BEFORE, _NOW)
    op.create_index("ix_audit_leaf_created_at", "audit_leaf", ["created_at"], postgresql_using="brin")
    op.create_table(
        "event_details",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_details")),
    )
    op.create_index(op.f("ix_event_details_about"), "event_details", ["about"])
    # Of the grants before, the leaves hold the case reference; from now on it is a detail, and nowhere else.
    op.drop_column("reveal_grants", "case_reference")


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.add_column("reveal_grants", sa.Column("case_reference", sa.String(length=40), nullable=False, server_default="unknown"))
    op.drop_table("event_details")
    op.drop_index("ix_audit_leaf_created_at", "audit_leaf")
    _replace_check(_NOW, _BEFORE)


def _replace_check(old: str, new: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_clients_kind"), "clients", type_="check")
        op.create_check_constraint(op.f("ck_clients_kind"), "clients", new)
        return
    # Other tables refer to this one, so SQLite cannot lay it anew; its own manual rewrites the text of a constraint in place
    # (sqlite.org/lang_altertable.html, "making other kinds of table schema changes").
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    rewritten = sa.text("UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'clients'")
    connection.execute(rewritten, {"old": old, "new": new})
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
