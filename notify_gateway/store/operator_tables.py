# SPDX-License-Identifier: MIT
"""Table of operators' sessions at the operations pages: known by the SHA-256 of what the browser holds, bound to a token."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, MetaData, Table, Uuid

from notify_gateway.store.engine import Instant


def define(metadata: MetaData) -> Table:
    """Return the table of sessions, now part of ``metadata``, which has ``tokens``."""
    return Table(
        "operator_sessions",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("token_id", ForeignKey("tokens.id"), nullable=False, index=True),
        Column("cookie_hash", LargeBinary(32), nullable=False, unique=True),
        Column("created_at", Instant, nullable=False),
        Column("seen_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("ended_at", Instant),
    )
