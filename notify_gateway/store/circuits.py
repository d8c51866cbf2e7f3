# SPDX-License-Identifier: MIT
"""How each authority answers, and when it is away by plan: kept in the database, so that all workers see the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, exists, insert, or_, select, union_all, update

from notify_gateway.domain.outbox_policy import CLOSED, Circuit
from notify_gateway.store.tables import circuits, downtimes

_COLUMNS = tuple(column for column in circuits.c if column.name != "authority")


@dataclass(frozen=True, slots=True)
class Downtime:
    """Hours in which an authority's system is away by plan; ``ended_at`` is when people ended it, or called it off, before its time."""

    id: UUID
    authority: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    planned_by: str
    planned_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None

    def is_on(self, now: datetime) -> bool:
        """Tell whether the authority is away by this plan at the instant."""
        return self.ended_at is None and self.starts_at <= now < self.ends_at


def left_in_peace(now: datetime) -> CompoundSelect[Any]:
    """Return the select of authorities to which nothing but probes goes now."""
    return union_all(resting(now), away_by_plan(now))


def resting(now: datetime) -> Select[Any]:
    """Return the select of authorities whose circuit is open, or which asked for a rest that is not over."""
    c = circuits.c
    return select(c.authority).where(or_(c.opened_at.is_not(None), c.paused_until > now))


def away_by_plan(now: datetime) -> Select[Any]:
    """Return the select of authorities that are in a planned downtime."""
    return select(downtimes.c.authority).where(_on(now))


def probes() -> Select[Any]:
    """Return the select of the deliveries that go out as probes of open circuits."""
    return select(circuits.c.probe).where(circuits.c.probe.is_not(None))


def failed_lately(authority: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether the authority's last attempt failed, as SQL."""
    return exists().where(circuits.c.authority == authority, circuits.c.failures > 0)


def due_for_probe(connection: Connection, *, now: datetime) -> list[str]:
    """Return the authorities whose circuit is open, whose pause is over, and which are not away by plan."""
    c = circuits.c
    ready = select(c.authority).where(c.opened_at.is_not(None), c.paused_until <= now, c.authority.not_in(away_by_plan(now)))
    return list(connection.scalars(ready.order_by(c.authority)))


def send_probe(connection: Connection, authority: str, *, probe: UUID, again_at: datetime) -> None:
    """The delivery is the authority's probe; when nothing is heard of it until ``again_at``, there may be another."""
    connection.execute(update(circuits).where(circuits.c.authority == authority).values(probe=probe, paused_until=again_at))


def find(connection: Connection, authorities: Collection[str]) -> dict[str, Circuit]:
    """Return the circuits of the authorities, locked until the transaction ends; an authority that never failed has a closed one."""
    wanted = select(circuits).where(circuits.c.authority.in_(authorities)).order_by(circuits.c.authority).with_for_update()
    kept = {row.authority: _circuit(row) for row in connection.execute(wanted)}
    return {each: kept.get(each, CLOSED) for each in authorities}


def find_all(connection: Connection) -> dict[str, Circuit]:
    """Return the circuits of all authorities that ever failed."""
    return {row.authority: _circuit(row) for row in connection.execute(select(circuits))}


def save(connection: Connection, authority: str, circuit: Circuit) -> None:
    """The authority's circuit is as given."""
    values = asdict(circuit)
    if connection.execute(update(circuits).where(circuits.c.authority == authority).values(values)).rowcount == 0:
        connection.execute(insert(circuits), [{"authority": authority, **values}])


def plan(connection: Connection, downtime: Downtime) -> None:
    """The downtime is planned."""
    connection.execute(insert(downtimes), [asdict(downtime)])


def find_downtime(connection: Connection, downtime_id: UUID) -> Downtime | None:
    """Return the downtime of that id, locked until the transaction ends."""
    row = connection.execute(select(downtimes).where(downtimes.c.id == downtime_id).with_for_update()).one_or_none()
    return Downtime(**row._mapping) if row else None


def end(connection: Connection, downtime_id: UUID, *, by: str, at: datetime) -> None:
    """The downtime is over, or is called off."""
    connection.execute(update(downtimes).where(downtimes.c.id == downtime_id).values(ended_by=by, ended_at=at))


def list_downtimes(connection: Connection, *, authority: str | None = None, ending_after: datetime | None = None) -> list[Downtime]:
    """Return the downtimes in order of their beginning: of one authority or all, all or those that are on or still to come."""
    t = downtimes.c
    found = select(downtimes).order_by(t.starts_at, t.id)
    if authority is not None:
        found = found.where(t.authority == authority)
    if ending_after is not None:
        found = found.where(t.ended_at.is_(None), t.ends_at > ending_after)
    return [Downtime(**row._mapping) for row in connection.execute(found)]


def _on(now: datetime) -> ColumnElement[bool]:
    t = downtimes.c
    return t.ended_at.is_(None) & (t.starts_at <= now) & (t.ends_at > now)


def _circuit(row: Any) -> Circuit:
    return Circuit(**{column.name: row._mapping[column] for column in _COLUMNS})
