# SPDX-License-Identifier: MIT
"""Tables of erasures and legal holds. They hold ids and codes: that something was erased is kept, and nothing of what it was."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, MetaData, String, Table, Uuid

from notify_gateway.store.engine import Instant


def define(metadata: MetaData) -> tuple[Table, Table, Table]:
    """Return the tables of holds, erasures and erased messages, now part of ``metadata``."""
    legal_holds = Table(
        "legal_holds",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("notification_id", ForeignKey("notifications.id"), nullable=False, index=True),
        Column("reason", String(40), nullable=False),
        Column("case_reference", String(40), nullable=False),
        Column("set_by", String(200), nullable=False),
        Column("set_at", Instant, nullable=False),
        Column("release_by", String(200)),
        Column("release_at", Instant),
        Column("released_by", String(200)),
        Column("released_at", Instant),
    )
    erasures = Table(
        "erasures",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("notification_id", ForeignKey("notifications.id"), nullable=False, index=True),
        Column("reason", String(40), nullable=False),
        Column("case_reference", String(40), nullable=False),
        Column("by", String(200), nullable=False),
        Column("begun_at", Instant, nullable=False),
        Column("done_at", Instant),
    )
    erased_messages = Table(
        "erased_messages",
        metadata,
        Column("message_id", Uuid, primary_key=True),
        Column("erasure_id", ForeignKey("erasures.id"), nullable=False, index=True),
    )
    return legal_holds, erasures, erased_messages
