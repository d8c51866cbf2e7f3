# SPDX-License-Identifier: MIT
"""Where authorities are alerted, and what is due. It is read off the deliveries that wait: nothing has to remember to ask for an alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, delete, exists, func, insert, literal, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_if_absent

from notify_gateway.domain.alerts import AlertKind, Untold
from notify_gateway.store.tables import alert_addresses, alerted, authorities, deliveries, notifications

_a, _d, _t = alert_addresses.c, deliveries.c, alerted.c
# Spelt out, so that the partial indexes are seen to fit. What the inbox has waits until a person takes it up.
_WAITS = or_(
    _d.state == literal("offered", literal_execute=True),
    and_(_d.state == literal("received", literal_execute=True), _d.channel == literal("inbox", literal_execute=True)),
)


@dataclass(frozen=True, slots=True)
class AlertAddress:
    """Where one authority is alerted; ``attempts`` counts those since an alert last got through."""

    id: UUID
    authority: str
    kind: AlertKind
    address: str = field(repr=False)
    created_at: datetime
    due_at: datetime
    attempts: int
    last_code: str | None
    sent_at: datetime | None


def add(connection: Connection, address: AlertAddress) -> None:
    """Insert a live address; raises ``IntegrityError`` where the authority has the same one already."""
    values = {name: getattr(address, name) for name in AlertAddress.__slots__} | {"kind": address.kind.value}
    connection.execute(insert(alert_addresses), [values])


def find(connection: Connection, *, authority: str, kind: AlertKind, address: str) -> AlertAddress | None:
    """Return the authority's live address of this kind."""
    wanted = _live().where(_a.authority == authority, _a.kind == kind.value, _a.address == address)
    row = connection.execute(wanted).one_or_none()
    return _read(row._mapping) if row else None


def listed(connection: Connection, *, authority: str | None = None) -> list[AlertAddress]:
    """Return the live addresses, of all authorities or of one."""
    statement = _live().order_by(_a.authority, _a.kind, _a.address)
    if authority is not None:
        statement = statement.where(_a.authority == authority)
    return [_read(row._mapping) for row in connection.execute(statement)]


def remove(connection: Connection, address_id: UUID, *, at: datetime) -> None:
    """The address is alerted no more; what it had been told is forgotten."""
    connection.execute(update(alert_addresses).where(_a.id == address_id).values(removed_at=at))
    connection.execute(delete(alerted).where(_t.address_id == address_id))


def due(connection: Connection, kind: AlertKind, *, now: datetime) -> list[UUID]:
    """Return the addresses that are to be told of something now, longest due first."""
    untold = exists().where(_d.authority == _a.authority, _WAITS, not_(_told(_a.id)))
    statement = select(_a.id).where(_a.kind == kind.value, _is_free(now), untold).order_by(_a.due_at, _a.id)
    return list(connection.scalars(statement))


def claim(connection: Connection, address_id: UUID, *, now: datetime, until: datetime) -> AlertAddress | None:
    """Take the address for one attempt, which is counted; None if it is not due any more, or another scheduler has it."""
    statement = update(alert_addresses).where(_a.id == address_id, _is_free(now))
    row = connection.execute(
        statement.values(lease_until=until, attempts=_a.attempts + 1).returning(*(_a[name] for name in AlertAddress.__slots__))
    ).one_or_none()
    return _read(row._mapping) if row else None


def release(
    connection: Connection, address_id: UUID, *, due_at: datetime, failed: str | None = None, sent_at: datetime | None = None
) -> None:
    """Give the address back: due again at ``due_at``, after an attempt that failed with a code or one that got through."""
    values: dict[str, object] = {"lease_until": None, "due_at": due_at, "last_code": failed}
    if sent_at is not None:
        values["sent_at"] = sent_at
    if failed is None:
        values["attempts"] = 0
    connection.execute(update(alert_addresses).where(_a.id == address_id).values(values))


def untold(connection: Connection, address: AlertAddress, *, limit: int) -> tuple[Untold, ...]:
    """Return what waits for the authority and the address does not know of, longest waiting first."""
    n = notifications.c
    statement = (
        select(_d.id, n.reference)
        .join(notifications, n.id == _d.notification_id)
        .where(_d.authority == address.authority, _WAITS, not_(_told(address.id)))
        .order_by(_d.offered_at, _d.id)
        .limit(limit)
    )
    return tuple(Untold(*row) for row in connection.execute(statement))


def waiting(connection: Connection, authority: str) -> int:
    """Return how many deliveries wait where the authority takes them."""
    return connection.execute(select(func.count()).select_from(deliveries).where(_d.authority == authority, _WAITS)).scalar_one()


def custody(connection: Connection, authority: str) -> tuple[str, str]:
    """Return the authority's name and its custody channel."""
    row = connection.execute(select(authorities.c.name, authorities.c.channel).where(authorities.c.gss == authority)).one()
    return row.name, row.channel


def remember(connection: Connection, address_id: UUID, told: Sequence[UUID]) -> None:
    """The address knows of these; it is forgotten of those that no longer wait, so that no more is kept than waits."""
    if told:
        rows = [{"address_id": address_id, "delivery_id": each} for each in told]
        # Both databases spell it alike.
        connection.execute(insert_if_absent(alerted).on_conflict_do_nothing(), rows)
    connection.execute(delete(alerted).where(_t.address_id == address_id, ~exists().where(_d.id == _t.delivery_id, _WAITS)))


def _live() -> Select[Any]:
    return select(*(_a[name] for name in AlertAddress.__slots__)).where(_a.removed_at.is_(None))


def _told(address_id: object) -> ColumnElement[bool]:
    return exists().where(_t.address_id == address_id, _t.delivery_id == _d.id)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return and_(_a.removed_at.is_(None), _a.due_at <= now, or_(_a.lease_until.is_(None), _a.lease_until < now))


def _read(row: RowMapping) -> AlertAddress:
    return AlertAddress(**{**row, "kind": AlertKind(row["kind"])})
