# SPDX-License-Identifier: MIT
"""Keep when to look at authorities' SFTP servers for what they say they have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "sftp_looks",
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("looked_at", Instant()),
        sa.Column("code", sa.String(length=40)),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_sftp_looks_authority_authorities")),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_sftp_looks")),
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("sftp_looks")
