# SPDX-License-Identifier: MIT
"""What operators see of waiting work: where each delivery stands, by ids and codes alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, literal, or_, select

from notify_gateway.domain.operating import Standing
from notify_gateway.domain.outbox_policy import Owner, judge
from notify_gateway.store.tables import authorities, deliveries, messages, notifications

OPEN = ("queued", "offered")
"""States of deliveries that have not come to their end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Which open deliveries are meant; what is None, or empty, is not asked about.

    ``code`` is that of the last failure, or of the parking. ``accepted_before`` is about the message that the delivery carries.
    """

    authority: str | None = None
    channel: str | None = None
    code: str | None = None
    standing: Standing | None = None
    accepted_before: datetime | None = None
    ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Deliveries of one authority and channel that fail, or are parked, for one reason."""

    standing: Standing
    code: str
    authority: str
    channel: str
    count: int
    oldest_at: datetime
    """When the oldest message among them was accepted."""
    next_due_at: datetime | None
    """When the first of them is tried again; None of what is parked."""
    most_attempts: int

    @property
    def owner(self) -> Owner:
        """Who has to act once such a delivery is parked."""
        return judge(self.code).owner


@dataclass(frozen=True, slots=True)
class Flow:
    """How it goes with an authority by a channel: open deliveries by standing, and the last that was received."""

    authority: str
    channel: str
    waiting: int
    under_way: int
    failing: int
    parked: int
    offered: int
    oldest_at: datetime | None
    next_due_at: datetime | None
    last_received_at: datetime | None


@dataclass(frozen=True, slots=True)
class Item:
    """One open delivery."""

    id: UUID
    notification_id: UUID
    reference: str
    authority: str
    channel: str
    event: str
    standing: Standing
    attempts: int
    code: str | None
    accepted_at: datetime
    due_at: datetime
    parked_at: datetime | None
    behind: bool
    """An earlier delivery of the same notification is open, and goes first."""

    @property
    def owner(self) -> Owner | None:
        """Who has to act, of a parked delivery."""
        return judge(self.code).owner if self.standing is Standing.PARKED and self.code else None


def standing(now: datetime) -> ColumnElement[str]:
    """Return where an open delivery stands at the instant, as SQL."""
    d = deliveries.c
    return case(
        (d.state == "offered", Standing.OFFERED.value),
        (d.parked_at.is_not(None), Standing.PARKED.value),
        (d.lease_until >= now, Standing.UNDER_WAY.value),
        (d.last_code.is_not(None), Standing.FAILING.value),
        else_=Standing.WAITING.value,
    )


def code() -> ColumnElement[str | None]:
    """Return why a delivery is parked or failed last, as SQL."""
    d = deliveries.c
    return case((d.state == "offered", None), else_=func.coalesce(d.parked_code, d.last_code))


def troubles(connection: Connection, matching: Matching, *, now: datetime) -> list[Trouble]:
    """Return failing and parked work grouped by its cause, the largest group first."""
    d = deliveries.c
    parked = case((d.parked_at.is_not(None), Standing.PARKED.value), else_=Standing.FAILING.value)
    columns = (parked.label("standing"), code().label("code"), d.authority, d.channel)
    count = func.count().label("count")
    next_due = func.min(case((d.parked_at.is_(None), d.due_at)))
    found = (
        select(*columns, count, func.min(messages.c.accepted_at), next_due, func.max(d.attempts))
        .join(messages, messages.c.id == d.message_id)
        .where(d.state == "queued", or_(d.parked_at.is_not(None), d.last_code.is_not(None)), *_asked(matching, now))
        .group_by(*columns)
        .order_by(count.desc(), d.authority, d.channel, "code")
    )
    return [Trouble(Standing(row[0]), *row[1:]) for row in connection.execute(found)]


def flows(connection: Connection, *, now: datetime, authority: str | None = None) -> list[Flow]:
    """Return how it goes with each authority by each channel that it has, or by which something is still open."""
    d, a = deliveries.c, authorities.c
    where = standing(now)
    counts = [func.sum(case((where == each.value, 1), else_=0)) for each in _COUNTED]
    going = case((and_(d.state == "queued", d.parked_at.is_(None)), d.due_at))
    opened = (
        select(d.authority, d.channel, *counts, func.min(messages.c.accepted_at), func.min(going))
        .join(messages, messages.c.id == d.message_id)
        .where(d.state.in_(OPEN))
        .group_by(d.authority, d.channel)
    )
    received = select(d.authority, d.channel, func.max(d.received_at)).where(d.received_at.is_not(None)).group_by(d.authority, d.channel)
    chosen = select(a.gss, a.channel).where(a.closed_at.is_(None))
    if authority is not None:
        opened, received = opened.where(d.authority == authority), received.where(d.authority == authority)
        chosen = chosen.where(a.gss == authority)
    last = {(row[0], row[1]): row[2] for row in connection.execute(received)}
    found: dict[tuple[str, str], list[Any]] = {(gss, channel): [0, 0, 0, 0, 0, None, None] for gss, channel in connection.execute(chosen)}
    found |= {(row[0], row[1]): list(row[2:]) for row in connection.execute(opened)}
    return [Flow(*key, *(*values, last.get(key))) for key, values in sorted(found.items())]


def items(connection: Connection, matching: Matching, *, now: datetime, limit: int | None = None, lock: bool = False) -> list[Item]:
    """Return open deliveries, the oldest first; ``lock``: nobody else changes them until the transaction ends."""
    d, m = deliveries.c, messages.c
    earlier = deliveries.alias("earlier")
    behind = exists().where(
        earlier.c.notification_id == d.notification_id,
        earlier.c.authority == d.authority,
        earlier.c.sequence < d.sequence,
        earlier.c.state == "queued",
    )
    found: Select[Any] = (
        select(
            *(d.id, d.notification_id, notifications.c.reference, d.authority, d.channel, d.event),
            *(standing(now).label("standing"), d.attempts, code().label("code"), m.accepted_at, d.due_at, d.parked_at),
            behind.label("behind"),
        )
        .join(messages, m.id == d.message_id)
        .join(notifications, notifications.c.id == d.notification_id)
        .where(d.state.in_(OPEN), *_asked(matching, now))
        .order_by(m.accepted_at, d.id)
        .limit(limit)
    )
    return [_item(row) for row in connection.execute(found.with_for_update(of=deliveries) if lock else found)]


def known(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the ids that are deliveries, open or not."""
    return set(connection.scalars(select(deliveries.c.id).where(deliveries.c.id.in_(ids))))


_COUNTED = (Standing.WAITING, Standing.UNDER_WAY, Standing.FAILING, Standing.PARKED, Standing.OFFERED)


def _asked(matching: Matching, now: datetime) -> list[ColumnElement[bool]]:
    d = deliveries.c
    asked: list[tuple[Any, ColumnElement[Any]]] = [
        (matching.authority, d.authority),
        (matching.channel, d.channel),
        (matching.code, code()),
        (matching.standing.value if matching.standing else None, standing(now)),
    ]
    conditions = [column == literal(value) for value, column in asked if value is not None]
    if matching.accepted_before is not None:
        conditions.append(messages.c.accepted_at < matching.accepted_before)
    if matching.ids:
        conditions.append(d.id.in_(matching.ids))
    return conditions


def _item(row: Row[Any]) -> Item:
    return Item(**{**row._mapping, "standing": Standing(row.standing), "behind": bool(row.behind)})
