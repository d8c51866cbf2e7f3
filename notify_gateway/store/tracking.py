# SPDX-License-Identifier: MIT
"""What one sender may see of its notifications. The scope stands in the constructor: there is no unscoped reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, and_, func, or_, select, union_all

from notify_gateway.domain.feedback import Happening
from notify_gateway.store.tables import deliveries, delivery_steps, messages, notifications

_REACHED = {"offered": "offered_at", "received": "received_at", "acknowledged": "acknowledged_at", "given-up": "given_up_at"}
"""What a delivery comes to, in this order, and the column that says when."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """Where a notification stands, after its latest message, and all that happened to it on the way, in order of time."""

    id: UUID
    reference: str
    authority: str
    event: str
    state: str
    accepted_at: datetime
    """When its first message was accepted."""
    accepted_event: UUID
    """The acceptance of its latest message in the log."""
    present: tuple[Happening, ...]
    """What happened to its latest delivery."""
    history: tuple[Happening, ...]

    @property
    def changed_at(self) -> datetime:
        """Return when anything last happened to it."""
        return self.history[-1].at


@dataclass(frozen=True, slots=True)
class Span:
    """When something changed last: from ``since`` on, before ``until``, and behind the notification ``after`` in order of change."""

    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, UUID] | None = None


class SenderNotifications:
    """The notifications of one client."""

    def __init__(self, connection: Connection, client_id: UUID) -> None:
        self._connection = connection
        self._client_id = client_id

    def find(self, notification_id: UUID) -> Tracked | None:
        """Return where the notification stands, or None where this client has none of that id."""
        return next(iter(self.find_all([notification_id])), None)

    def find_all(self, ids: Collection[UUID]) -> list[Tracked]:
        """Return where those of the notifications stand that are this client's, in the order of ``ids``."""
        n, m, d, s = notifications.c, messages.c, deliveries.c, delivery_steps.c
        own = {row.id: row for row in self._rows(select(n.id, n.reference).where(n.id.in_(ids), n.client_id == self._client_id))}
        accepted = select(m.notification_id, m.event, m.authority, m.accepted_at, m.accepted_event)
        sent = self._rows(accepted.where(m.notification_id.in_(own)).order_by(m.version_at))
        went = self._rows(select(deliveries).where(d.notification_id.in_(own)).order_by(d.sequence))
        steps = select(delivery_steps).join(deliveries, d.id == s.delivery_id)
        said = self._rows(steps.where(d.notification_id.in_(own)).order_by(s.delivery_id, s.number))
        by_message, by_delivery, by_step = _by(sent, "notification_id"), _by(went, "notification_id"), _by(said, "delivery_id")
        return [_tracked(own[each], by_message[each], by_delivery[each], by_step) for each in ids if each in own]

    def ids_by_business_keys(self, keys: Collection[bytes]) -> list[UUID]:
        """Return this client's notifications that have one of the keyed digests as their own identifier."""
        return self._ids(notifications.c.business_key.in_(keys))

    def ids_by_references(self, references: Collection[str]) -> list[UUID]:
        """Return this client's notifications of those references."""
        return self._ids(notifications.c.reference.in_(references))

    def ids_by_change(self, span: Span, *, limit: int) -> list[tuple[datetime, UUID]]:
        """Return when this client's notifications last changed, and which they are, the longest ago first."""
        bounds = [each for each in (span.since, span.after[0] if span.after else None) if each is not None]
        changes = union_all(*self._changes(max(bounds, default=None))).subquery("changes")
        last = func.max(changes.c.at).label("last")
        statement = select(last, changes.c.notification_id).group_by(changes.c.notification_id)
        if span.until is not None:
            statement = statement.having(last < span.until)
        if span.after is not None:
            at, behind = span.after
            statement = statement.having(or_(last > at, and_(last == at, changes.c.notification_id > behind)))
        rows = self._rows(statement.order_by(last, changes.c.notification_id).limit(limit))
        return [(row.last, row.notification_id) for row in rows]

    def _changes(self, since: datetime | None) -> Iterator[Select[Any]]:
        """What happened to this client's notifications from ``since`` on, and when; the newest of each is ``Tracked.changed_at``."""
        m, d, s = messages.c, deliveries.c, delivery_steps.c
        # A delivery reaches its states in this order, so the last that it has reached is the newest.
        reached = func.coalesce(*(d[column] for column in reversed(_REACHED.values())))
        own = notifications.c.client_id == self._client_id
        of_notification = notifications.c.id == d.notification_id
        happened = (
            (select(m.notification_id, m.accepted_at.label("at")).where(m.client_id == self._client_id), m.accepted_at),
            (select(d.notification_id, reached.label("at")).join(notifications, of_notification).where(own, reached.is_not(None)), reached),
            (select(d.notification_id, s.at).join(deliveries, d.id == s.delivery_id).join(notifications, of_notification).where(own), s.at),
        )
        for statement, at in happened:
            yield statement if since is None else statement.where(at >= since)

    def _ids(self, condition: Any) -> list[UUID]:
        n = notifications.c
        return list(self._connection.scalars(select(n.id).where(n.client_id == self._client_id, condition).order_by(n.created_at, n.id)))

    def _rows(self, statement: Select[Any]) -> list[Row[Any]]:
        return list(self._connection.execute(statement))


def _by(rows: list[Row[Any]], name: str) -> dict[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def _tracked(own: Row[Any], sent: list[Row[Any]], went: list[Row[Any]], said: dict[UUID, list[Row[Any]]]) -> Tracked:
    accepted = [Happening(what="accepted", at=row.accepted_at, event=row.event, authority=row.authority) for row in sent]
    by_delivery = [list(_happenings(row, said.get(row.id, []))) for row in went]
    latest = went[-1]
    return Tracked(
        id=own.id,
        reference=own.reference,
        authority=latest.authority,
        event=latest.event,
        state=latest.state,
        accepted_at=sent[0].accepted_at,
        accepted_event=sent[-1].accepted_event,
        present=tuple(by_delivery[-1]),
        history=tuple(sorted(chain(accepted, *by_delivery), key=lambda each: each.at)),
    )


def _happenings(delivery: Row[Any], steps: list[Row[Any]]) -> Iterator[Happening]:
    for what, column in _REACHED.items():
        at = getattr(delivery, column)
        if at is not None:
            yield Happening(what=what, at=at, event=delivery.event, authority=delivery.authority)
    for step in steps:
        yield Happening(
            what=step.step,
            at=step.at,
            event=delivery.event,
            authority=delivery.authority,
            on=step.on_date,
            code=step.code,
            suggested=step.suggested,
        )
