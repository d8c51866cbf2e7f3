# SPDX-License-Identifier: MIT
"""Tables of alerts: where authorities are alerted, when next, and of which deliveries each address has been told."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, Uuid, text

from notify_gateway.store.engine import Instant

_LIVE = "removed_at IS NULL"


def define(metadata: MetaData) -> tuple[Table, Table]:
    """Return the tables of addresses and of what they were told, now part of ``metadata``."""
    alert_addresses = Table(
        "alert_addresses",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", ForeignKey("authorities.gss"), nullable=False, index=True),
        Column("kind", String(16), nullable=False),
        Column("address", Text, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("removed_at", Instant),
        Column("due_at", Instant, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("lease_until", Instant),
        Column("last_code", String(40)),
        Column("sent_at", Instant),
        CheckConstraint("kind in ('email', 'webhook')", name="kind"),
    )
    a = alert_addresses.c
    live = text(_LIVE)
    Index("uq_alert_addresses_live", a.authority, a.kind, a.address, unique=True, postgresql_where=live, sqlite_where=live)
    # Only what still waits stands here, so both tables stay small; a delivery that is gone from it is told anew if it ever waits again.
    alerted = Table(
        "alerted",
        metadata,
        Column("address_id", ForeignKey(a.id), primary_key=True),
        Column("delivery_id", Uuid, primary_key=True),
    )
    return alert_addresses, alerted
