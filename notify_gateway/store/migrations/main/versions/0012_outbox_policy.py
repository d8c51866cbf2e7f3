# SPDX-License-Identifier: MIT
"""Keep what the outbox decides: what is parked, which circuit is open, which downtime is planned."""

from __future__ import annotations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""


def downgrade() -> None:
    """Take the tables back to the revision before."""
