# SPDX-License-Identifier: MIT
"""Tables of the people who sign in: members of staff, their sessions, sign-ins under way, and forms that an ended session had typed.

What a browser holds is known by its SHA-256 alone. A kept form is sealed under a key that only the browser holds.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, LargeBinary, MetaData, String, Table, UniqueConstraint, Uuid

from notify_gateway.store.engine import Instant

SCOPED = ("staff", "staff_sessions", "kept_forms")
"""Tables whose rows are an organisation's own."""


def define(metadata: MetaData) -> tuple[Table, Table, Table, Table]:
    """Add the four tables to ``metadata``; return them in the order in which they are made."""
    staff = Table(
        "staff",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("organisation", String(16), nullable=False),
        Column("subject_hash", LargeBinary(32), nullable=False),
        Column("provider", String(40), nullable=False),
        Column("name", String(120), nullable=False),
        Column("roles", String(120), nullable=False),
        Column("roles_from", String(10), nullable=False),
        Column("added_at", Instant, nullable=False),
        Column("last_at", Instant),
        Column("leave_until", Date),
        # No foreign key: a deputy is looked up among the organisation's own members, and rows come back one by one after a restore.
        Column("deputy", Uuid),
        Column("closed_at", Instant),
        Column("leave_from", Date),
        UniqueConstraint("organisation", "subject_hash"),
    )
    sessions = Table(
        "staff_sessions",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("staff_id", ForeignKey("staff.id"), nullable=False, index=True),
        Column("organisation", String(16), nullable=False, index=True),
        Column("cookie_hash", LargeBinary(32), nullable=False, unique=True),
        Column("created_at", Instant, nullable=False),
        Column("seen_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False, index=True),
        Column("stepped_up_at", Instant),
        Column("ended_at", Instant),
    )
    sign_ins = Table(
        "staff_sign_ins",
        metadata,
        Column("state_hash", LargeBinary(32), primary_key=True),
        Column("browser_hash", LargeBinary(32), nullable=False),
        Column("provider", String(40), nullable=False),
        Column("nonce", String(64), nullable=False),
        Column("verifier", String(128), nullable=False),
        Column("goes_to", String(500), nullable=False),
        Column("session_id", Uuid),
        Column("begun_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False, index=True),
    )
    kept = Table(
        "kept_forms",
        metadata,
        Column("session_id", ForeignKey("staff_sessions.id"), primary_key=True),
        Column("organisation", String(16), nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        Column("expires_at", Instant, nullable=False, index=True),
    )
    return staff, sessions, sign_ins, kept
