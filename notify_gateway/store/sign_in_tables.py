# SPDX-License-Identifier: MIT
"""Tables of the trusts' signing in: keys that two people let in, where further ones are published, what was spent, and short tokens."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, LargeBinary, MetaData, String, Table, Text, UniqueConstraint, Uuid

from notify_gateway.store.engine import Instant


def define(metadata: MetaData) -> tuple[Table, Table, Table, Table, Table]:
    """Add the five tables to ``metadata``, which has ``clients``; return them in the order in which they are made."""
    proposals = Table(
        "key_proposals",
        metadata,
        Column("id", Uuid, primary_key=True),
        # No foreign key: until the second person has approved, the client is not there.
        Column("client_id", Uuid, nullable=False, index=True),
        Column("ods", String(16), nullable=False, index=True),
        Column("name", String(200), nullable=False),
        Column("organisation_type", String(40), nullable=False),
        Column("jwks", Text, nullable=False),
        Column("url", String(2000)),
        Column("proposed_by", String(80), nullable=False),
        Column("proposed_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("decision", String(16)),
        Column("decided_by", String(80)),
        Column("decided_at", Instant),
        CheckConstraint("decision in ('approved', 'superseded')", name="decision"),
    )
    keys = Table(
        "client_keys",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("client_id", ForeignKey("clients.id"), nullable=False),
        Column("kid", String(128), nullable=False),
        Column("thumbprint", String(43), nullable=False, unique=True),
        Column("jwk", Text, nullable=False),
        Column("registered_by", String(80), nullable=False),
        Column("approved_by", String(80), nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("revoked_at", Instant),
        Column("revoked_by", String(80)),
        UniqueConstraint("client_id", "kid"),
    )
    sources = Table(
        "key_sources",
        metadata,
        Column("client_id", ForeignKey("clients.id"), primary_key=True),
        Column("url", String(2000), nullable=False),
        Column("approved_by", String(80), nullable=False),
        Column("approved_at", Instant, nullable=False),
        Column("tried_at", Instant, nullable=False),
        Column("fetched_at", Instant, nullable=False),
    )
    spent = Table(
        "spent_assertions",
        metadata,
        Column("client_id", Uuid, primary_key=True),
        Column("jti_hash", LargeBinary(32), primary_key=True),
        Column("expires_at", Instant, nullable=False, index=True),
    )
    tokens = Table(
        "access_tokens",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("client_id", ForeignKey("clients.id"), nullable=False),
        Column("key_id", ForeignKey(keys.c.id), nullable=False),
        Column("token_hash", LargeBinary(32), nullable=False, unique=True),
        Column("scopes", String(200), nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False, index=True),
    )
    return proposals, keys, sources, spent, tokens
