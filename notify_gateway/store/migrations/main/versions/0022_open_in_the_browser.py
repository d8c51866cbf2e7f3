# SPDX-License-Identifier: MIT
"""Know the devices that hold a working key, and keep what officers note, sealed."""

from __future__ import annotations

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""


def downgrade() -> None:
    """Take the tables back to the revision before."""
