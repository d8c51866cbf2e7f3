# SPDX-License-Identifier: MIT
"""Remember that the entries of a closed log were deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("audit_origin", sa.Column("entries_deleted_at", sa.BigInteger()))
    if op.get_bind().dialect.name == "postgresql":
        guards.watch_deletion(op.get_bind())


def downgrade() -> None:
    """Take the tables back to the revision before."""
    if op.get_bind().dialect.name == "postgresql":
        guards.unwatch_deletion(op.get_bind())
    op.drop_column("audit_origin", "entries_deleted_at")
