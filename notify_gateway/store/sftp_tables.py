# SPDX-License-Identifier: MIT
"""The table of looks at authorities' SFTP servers for what they say they have."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, MetaData, String, Table

from notify_gateway.store.engine import Instant


def define(metadata: MetaData) -> Table:
    """Return the table of looks, now part of ``metadata``: for each authority when the next is due, and what came of the last."""
    return Table(
        "sftp_looks",
        metadata,
        Column("authority", ForeignKey("authorities.gss"), primary_key=True),
        Column("due_at", Instant, nullable=False),
        Column("looked_at", Instant),
        Column("code", String(40)),
    )
