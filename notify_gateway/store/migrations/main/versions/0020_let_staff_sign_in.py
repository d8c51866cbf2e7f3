# SPDX-License-Identifier: MIT
"""Know members of staff and their sessions."""

from __future__ import annotations

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""


def downgrade() -> None:
    """Take the tables back to the revision before."""
