# SPDX-License-Identifier: MIT
"""What the signed log says happened in a stretch of time to the deliveries of one organisation. The scope stands in the constructor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, case, func, literal, or_, select, union_all

from audit.events import micros
from notify_gateway.domain.lifecycle import State
from notify_gateway.store.expressions import uuid_text
from notify_gateway.store.parties import Client
from notify_gateway.store.tables import audit_tables, clients, deliveries, messages, notifications, succession_tables

STATE_OF: Final[Mapping[str, State]] = MappingProxyType(
    {
        "delivery:queued": State.QUEUED,
        "delivery:requeued": State.QUEUED,
        "delivery:offered": State.OFFERED,
        "delivery:received": State.RECEIVED,
        "delivery:acknowledged": State.ACKNOWLEDGED,
        "delivery:contacted": State.CONTACTED,
        "delivery:outcome": State.OUTCOME,
        "delivery:cancelled": State.CANCELLED,
        "delivery:superseded": State.SUPERSEDED,
        "delivery:returned": State.SENT_BACK,
        "delivery:given_up": State.GIVEN_UP,
    }
)
"""The state to which an event brings a delivery."""

_NOW: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``since`` on and before ``until``, as far as the living log's first ``size`` entries tell."""

    since: datetime
    until: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A delivery to which something happened: the last instant of each event, and the state that it was left in."""

    id: UUID
    notification_id: UUID
    reference: str
    sender: str
    authority: str
    event: str
    own: bool
    """False for the withdrawal by which an authority learns that a notification has moved elsewhere."""
    accepted_at: datetime
    happened: Mapping[str, int]
    """By tag, in microseconds since 1970."""
    state: State


@dataclass(frozen=True, slots=True)
class Sums:
    """How often each event happened, and how many deliveries were left in each state: accepted in the stretch, carried over, or added."""

    events: Mapping[str, int]
    states: Mapping[State, int]
    accepted: int
    added: int
    carried: int


class OrganisationDeliveries:
    """The deliveries of one trust or authority, in a stretch of time."""

    def __init__(self, connection: Connection, organisation: Client, stretch: Stretch) -> None:
        self._connection = connection
        self._stretch = stretch
        self._own: ColumnElement[bool] = (
            notifications.c.client_id == organisation.id if organisation.kind == "trust" else deliveries.c.authority == organisation.code
        )

    def sums(self) -> Sums:
        """Return what all of it comes to."""
        entries = self._entries()
        each = self._joined(entries).subquery("each")
        events = {row[0]: row[1] for row in self._connection.execute(select(each.c.tag, func.count()).group_by(each.c.tag))}
        place = func.row_number().over(partition_by=each.c.id, order_by=(each.c.epoch.desc(), each.c.idx.desc()))
        last = select(each.c.id, each.c.tag, each.c.own, each.c.accepted_at, place.label("place")).subquery("last")
        accepted = and_(last.c.own == 1, last.c.accepted_at >= self._stretch.since)
        kind = case((accepted, "accepted"), (or_(last.c.own == 1, self._told_before(last.c.id)), "carried"), else_="added")
        left = select(last.c.tag, kind, func.count()).where(last.c.place == 1).group_by(last.c.tag, kind)
        states: dict[State, int] = {}
        kinds = {"added": 0, "accepted": 0, "carried": 0}
        for tag, how, count in self._connection.execute(left):
            states[STATE_OF[tag]] = states.get(STATE_OF[tag], 0) + count
            kinds[how] += count
        return Sums(events, states, **kinds)

    def touched(self) -> list[UUID]:
        """Return the ids of the deliveries to which anything happened, in order."""
        each = self._joined(self._entries()).subquery("each")
        return list(self._connection.scalars(select(each.c.id).distinct().order_by(each.c.id)))

    def moved(self, ids: Sequence[UUID]) -> list[Moved]:
        """Return what happened to those of the deliveries that are the organisation's, in order of their id."""
        d, m, n, c = deliveries.c, messages.c, notifications.c, clients.c
        found = (
            select(d.id, d.notification_id, n.reference, c.code.label("sender"), d.authority, d.event, m.event.label("sent"), m.accepted_at)
            .select_from(deliveries)
            .join(messages, m.id == d.message_id)
            .join(notifications, n.id == d.notification_id)
            .join(clients, c.id == n.client_id)
            .where(self._own, d.id.in_(ids))
            .order_by(d.id)
        )
        # Two look-ups by index; joined in one statement, one list would be gone through for each member of the other.
        entries = self._entries(subjects=[str(each) for each in ids])
        told = self._connection.execute(select(entries).order_by(entries.c.subject, entries.c.epoch, entries.c.idx))
        happened = {subject: list(rows) for subject, rows in groupby(told, key=lambda row: row.subject)}
        return [_moved(row, happened[str(row.id)]) for row in self._connection.execute(found)]

    def _joined(self, entries: Subquery) -> Select[Any]:
        d, m, n, c = deliveries.c, messages.c, notifications.c, clients.c
        own = case(((d.event == "delete") == (m.event == "delete"), 1), else_=0)
        return (
            select(d.id, entries.c.tag, entries.c.created_at, entries.c.epoch, entries.c.idx, own.label("own"), m.accepted_at)
            .select_from(deliveries)
            .join(messages, m.id == d.message_id)
            .join(notifications, n.id == d.notification_id)
            .join(clients, c.id == n.client_id)
            .join(entries, entries.c.subject == uuid_text(d.id))
            .where(self._own)
        )

    def _told_before(self, delivery: ColumnElement[Any]) -> ColumnElement[bool]:
        logs = (audit_tables.leaf.c, succession_tables.leaf.c)
        told = (select(leaf.idx).where(leaf.subject == uuid_text(delivery), leaf.created_at < micros(self._stretch.since)) for leaf in logs)
        return or_(*(each.exists() for each in told))

    def _entries(self, subjects: Sequence[str] | None = None) -> Subquery:
        live, past, origin = audit_tables.leaf.c, succession_tables.leaf.c, succession_tables.origin.c
        since, until = micros(self._stretch.since), micros(self._stretch.until)
        tags = list(STATE_OF)
        # Where subjects are named, the index of subjects is the one to go by, and not those of time and place.
        by_time = subjects is None
        at, place = (column if by_time else column + 0 for column in (live.created_at, live.idx))
        parts = [
            select(live.subject, live.tag, live.created_at, literal(_NOW).label("epoch"), live.idx).where(
                at >= since, at < until, place < self._stretch.size, live.tag.in_(tags), *_of(live, subjects)
            )
        ]
        # Closed logs have no index by time, and hardly ever is one asked of.
        closed = list(self._connection.scalars(select(origin.epoch).where(origin.closed_at >= since)))
        if closed:
            parts.append(
                select(past.subject, past.tag, past.created_at, past.epoch, past.idx).where(
                    past.epoch.in_(closed), past.created_at >= since, past.created_at < until, past.tag.in_(tags), *_of(past, subjects)
                )
            )
        return union_all(*parts).subquery("entries")


def _of(leaf: Any, subjects: Sequence[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if subjects is None else (leaf.subject.in_(subjects),)


def _moved(row: Any, happened: Sequence[Any]) -> Moved:
    return Moved(
        id=row.id,
        notification_id=row.notification_id,
        reference=row.reference,
        sender=row.sender,
        authority=row.authority,
        event=row.event,
        own=(row.event == "delete") == (row.sent == "delete"),
        accepted_at=row.accepted_at,
        happened={each.tag: each.created_at for each in happened},
        state=STATE_OF[happened[-1].tag],
    )
