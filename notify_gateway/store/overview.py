# SPDX-License-Identifier: MIT
"""What operators see of the whole: counts and ages by trust, authority, channel and state. No row of a child, no identifier of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from audit.events import micros
from audit.reading import latest_signed, oldest_pending_age
from notify_gateway.domain.operating import Standing
from notify_gateway.store.operating import OPEN, standing
from notify_gateway.store.tables import audit_tables, clients, deliveries, messages, tokens


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open deliveries of one authority, channel and standing; ``oldest`` is when the first of their messages was accepted."""

    authority: str
    channel: str
    standing: Standing
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    """What an authority has received by a channel: the last of all, and how many in the time that was asked for."""

    authority: str
    channel: str
    last: datetime | None
    count: int
    first_attempt: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What a trust has sent: the last of all, and how many in the time that was asked for."""

    trust: str
    name: str
    last: datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class LogState:
    """How the audit log stands: entries signed, when, how many came in the time that was asked for, what waits and for how many seconds."""

    size: int
    signed_at: datetime | None
    grown: int
    pending: int
    oldest: float | None


@dataclass(frozen=True, slots=True)
class AtWork:
    """A worker, by the name under which it leases deliveries, and how many it holds until when."""

    owner: str
    count: int
    until: datetime


@dataclass(frozen=True, slots=True)
class TokenEnd:
    """A live token of somebody and when it ends."""

    kind: str
    code: str
    created_at: datetime
    expires_at: datetime | None


def waiting(connection: Connection, *, now: datetime) -> list[Waiting]:
    """Return what is open, by authority, channel and standing."""
    d = deliveries.c
    columns = (d.authority, d.channel, standing(now).label("standing"))
    rows = connection.execute(
        select(*columns, func.count(), func.min(messages.c.accepted_at))
        .join(messages, messages.c.id == d.message_id)
        .where(d.state.in_(OPEN))
        .group_by(*columns)
    )
    return [Waiting(row[0], row[1], Standing(row[2]), row[3], row[4]) for row in rows]


def arrived(connection: Connection, *, since: datetime) -> list[Arrived]:
    """Return what was received, by authority and channel."""
    d = deliveries.c
    recent = d.received_at >= since
    rows = connection.execute(
        select(
            d.authority,
            d.channel,
            func.max(d.received_at).label("last"),
            func.sum(case((recent, 1), else_=0)).label("count"),
            func.sum(case((recent & (d.attempts == 1), 1), else_=0)).label("first_attempt"),
        )
        .where(d.received_at.is_not(None))
        .group_by(d.authority, d.channel)
    )
    return [Arrived(**row._mapping) for row in rows]


def sent(connection: Connection, *, since: datetime) -> list[Sent]:
    """Return what each trust has sent, also of those that never did."""
    m = messages.c
    rows = connection.execute(
        select(
            clients.c.code.label("trust"),
            clients.c.name,
            func.max(m.accepted_at).label("last"),
            func.coalesce(func.sum(case((m.accepted_at >= since, 1), else_=0)), 0).label("count"),
        )
        .join_from(clients, messages, m.client_id == clients.c.id, isouter=True)
        .where(clients.c.kind == "trust", clients.c.closed_at.is_(None))
        .group_by(clients.c.code, clients.c.name)
        .order_by(clients.c.code)
    )
    return [Sent(**row._mapping) for row in rows]


def log_state(connection: Connection, *, now: datetime, since: datetime) -> LogState:
    """Return how the log stands."""
    signed = latest_signed(connection, audit_tables)
    leaf = audit_tables.leaf.c
    return LogState(
        size=signed.size if signed else 0,
        signed_at=datetime.fromtimestamp(signed.signed_at / 1e6, now.tzinfo) if signed else None,
        grown=connection.scalar(select(func.count()).select_from(audit_tables.leaf).where(leaf.created_at >= micros(since))) or 0,
        pending=connection.scalar(select(func.count()).select_from(audit_tables.pending)) or 0,
        oldest=oldest_pending_age(connection, audit_tables, now),
    )


def at_work(connection: Connection, *, now: datetime) -> list[AtWork]:
    """Return the workers that hold deliveries."""
    d = deliveries.c
    rows = connection.execute(
        select(d.lease_owner.label("owner"), func.count().label("count"), func.max(d.lease_until).label("until"))
        .where(d.state == "queued", d.lease_owner.is_not(None), d.lease_until >= now)
        .group_by(d.lease_owner)
        .order_by(d.lease_owner)
    )
    return [AtWork(**row._mapping) for row in rows]


def live_tokens(connection: Connection, *, now: datetime) -> list[TokenEnd]:
    """Return the tokens that can be used, those that end first at the top; those that never end come last."""
    t = tokens.c
    rows = connection.execute(
        select(clients.c.kind, clients.c.code, t.created_at, t.expires_at)
        .join_from(tokens, clients, clients.c.id == t.client_id)
        .where(t.revoked_at.is_(None), clients.c.closed_at.is_(None), (t.expires_at.is_(None)) | (t.expires_at > now))
        .order_by(t.expires_at.is_(None), t.expires_at, clients.c.code)
    )
    return [TokenEnd(**row._mapping) for row in rows]
