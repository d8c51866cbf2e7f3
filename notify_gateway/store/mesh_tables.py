# SPDX-License-Identifier: MIT
"""The table of what MESH carries for us: ids, codes and times."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, text

from notify_gateway.store.engine import Instant


def define(metadata: MetaData) -> Table:
    """Return the table of MESH messages, one row for each that was sent of a delivery, now part of ``metadata``."""
    mesh_messages = Table(
        "mesh_messages",
        metadata,
        Column("delivery_id", ForeignKey("deliveries.id"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("message_id", String(64), index=True),
        Column("mailbox", String(20), nullable=False),
        Column("workflow", String(50), nullable=False),
        Column("digest", LargeBinary(32), nullable=False),
        Column("sent_at", Instant, nullable=False),
        Column("due_at", Instant),
        Column("told_at", Instant),
        Column("ended_at", Instant),
        Column("ended_code", String(40)),
    )
    # The poller asks for what is due; what has ended is due no more.
    due = text("due_at IS NOT NULL")
    Index("ix_mesh_messages_due", mesh_messages.c.due_at, postgresql_where=due, sqlite_where=due)
    return mesh_messages
