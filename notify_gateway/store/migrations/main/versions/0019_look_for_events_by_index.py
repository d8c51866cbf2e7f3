# SPDX-License-Identifier: MIT
"""Look for the event of a change by an index, however empty the planner believes the table of what is pending to be."""

from __future__ import annotations

from alembic import op

from notify_gateway.store import guards

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    if op.get_bind().dialect.name == "postgresql":
        guards.look_by_index(op.get_bind())


def downgrade() -> None:
    """Take the tables back to the revision before."""
    if op.get_bind().dialect.name == "postgresql":
        guards.look_as_planned(op.get_bind())
