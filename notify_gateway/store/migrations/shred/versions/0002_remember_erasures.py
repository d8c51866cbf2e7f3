# SPDX-License-Identifier: MIT
"""Remember, beside the keys, whose keys were deleted on purpose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "erased_keys",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("erased_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("erased_keys")
