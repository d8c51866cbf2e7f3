# SPDX-License-Identifier: MIT
"""Tables of the outbox's policy: how each authority answers, and when it is away by plan."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, String, Table, Uuid, text

from notify_gateway.store.engine import Instant

_DUE, _PARKED = "state = 'queued' AND parked_at IS NULL", "state = 'queued' AND parked_at IS NOT NULL"
_UNREAD = "state = 'received' AND channel = 'inbox'"


def policy_columns() -> tuple[Column[Any], ...]:
    """Return the columns of deliveries that the policy adds.

    ``spared`` of the ``attempts`` do not count towards the most. ``requeued_at`` is when people queued it anew, from when its age counts.
    """
    return (
        Column("spared", Integer, nullable=False, server_default="0"),
        Column("requeued_at", Instant),
        Column("parked_at", Instant),
        Column("parked_code", String(40)),
        Column("given_up_at", Instant),
    )


def index(deliveries: Table) -> None:
    """Add the indexes by which each authority's share of what is due, what is parked, and what nobody has taken up, is found."""
    by_due = (deliveries.c.authority, deliveries.c.due_at)
    Index("ix_deliveries_queued", *by_due, postgresql_where=text(_DUE), sqlite_where=text(_DUE))
    Index("ix_deliveries_parked", deliveries.c.authority, postgresql_where=text(_PARKED), sqlite_where=text(_PARKED))
    of_inbox = (deliveries.c.authority, deliveries.c.received_at)
    Index("ix_deliveries_unread", *of_inbox, postgresql_where=text(_UNREAD), sqlite_where=text(_UNREAD))


def define(metadata: MetaData) -> tuple[Table, Table]:
    """Return the tables of circuits and planned downtimes, now part of ``metadata``, which has ``authorities``."""
    # A row is there for an authority that has ever failed; one with neither failures nor pause says that all is well.
    circuits = Table(
        "circuits",
        metadata,
        Column("authority", ForeignKey("authorities.gss"), primary_key=True),
        Column("failures", Integer, nullable=False),
        Column("opened_at", Instant),
        Column("pauses", Integer, nullable=False),
        Column("paused_until", Instant),
        Column("probe", Uuid),
        Column("last_code", String(40)),
        Column("failed_at", Instant),
    )
    downtimes = Table(
        "downtimes",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", ForeignKey("authorities.gss"), nullable=False, index=True),
        Column("starts_at", Instant, nullable=False),
        Column("ends_at", Instant, nullable=False),
        Column("reason", String(40), nullable=False),
        Column("planned_by", String(200), nullable=False),
        Column("planned_at", Instant, nullable=False),
        Column("ended_by", String(200)),
        Column("ended_at", Instant),
        CheckConstraint("ends_at > starts_at", name="span"),
    )
    return circuits, downtimes
