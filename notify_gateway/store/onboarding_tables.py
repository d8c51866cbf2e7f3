# SPDX-License-Identifier: MIT
"""The table of what one person proposed for an authority and a second one has to approve."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, MetaData, String, Table, Text, Uuid

from notify_gateway.store.engine import Instant


def define(metadata: MetaData) -> Table:
    """Return the table of proposals, now part of ``metadata``."""
    return Table(
        "authority_proposals",
        metadata,
        Column("id", Uuid, primary_key=True),
        # No foreign key: until the second person has approved, the authority is not there.
        Column("authority", String(9), nullable=False, index=True),
        Column("act", String(16), nullable=False),
        Column("subject", String(64), nullable=False, index=True),
        Column("content", Text, nullable=False),
        Column("fingerprint", String(100), nullable=False),
        Column("proposed_by", String(80), nullable=False),
        Column("proposed_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("decision", String(16)),
        Column("decided_by", String(80)),
        Column("decided_at", Instant),
        CheckConstraint("act in ('settings', 'registration', 'retirement')", name="act"),
        CheckConstraint("decision in ('approved', 'refused', 'superseded')", name="decision"),
    )
