# SPDX-License-Identifier: MIT
"""Service level objectives, reckoned from instants in the database: delivered in time, logged in time, signed, and nobody waiting long.

How fast the front door answers is not in the database; the metrics tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, and_, case, func, or_, select

from audit.events import micros
from audit.reading import latest_signed
from notify_gateway.domain.lifecycle import State
from notify_gateway.store.expressions import seconds_between, standing_still
from notify_gateway.store.tables import audit_tables, deliveries, messages
from notify_gateway.use_cases.books import is_own
from notify_gateway.use_cases.gateway import Core

WINDOW = timedelta(days=7)
DELIVERED_WITHIN = timedelta(minutes=15)
DELIVERED_SHARE = 0.99
SIGNED_WITHIN = timedelta(minutes=5)
WAITING_AT_MOST = timedelta(minutes=15)
_STATEMENT_WITHIN = timedelta(seconds=10)
_SECOND = 1_000_000


class Unit(StrEnum):
    """What an objective is measured in."""

    SHARE = "share"
    """From 0 to 1; at least the target is wanted."""
    SECONDS = "seconds"
    """At most the target is wanted."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective and how it stands; ``measured`` is None where there was nothing to measure, ``of`` how many were."""

    name: str
    sentence: str
    unit: Unit
    target: float
    measured: float | None
    of: int

    @property
    def met(self) -> bool | None:
        """Tell whether the objective is met, or None where there was nothing to measure."""
        if self.measured is None:
            return None
        return self.measured >= self.target if self.unit is Unit.SHARE else self.measured <= self.target


def objectives(core: Core, *, window: timedelta = WINDOW) -> tuple[Objective, ...]:
    """Return how each objective stands: shares over the ``window`` up to now, waits at this moment.

    Raises ``OperationalError`` when the database does not answer in time.
    """
    now = core.clock.now()
    with standing_still(core.engine, within=_STATEMENT_WITHIN) as connection:
        return (
            _delivered(connection, now, now - window),
            _logged(connection, now, now - window, core.settings.promise_within),
            _signed(connection, now),
            _waiting(connection, now),
        )


def _delivered(connection: Connection, now: datetime, since: datetime) -> Objective:
    m, d = messages.c, deliveries.c
    left = func.coalesce(d.offered_at, d.received_at)
    in_time = case((seconds_between(m.accepted_at, left) <= DELIVERED_WITHIN.total_seconds(), 1), else_=0)
    overtaken = d.state.in_([State.CANCELLED.value, State.SUPERSEDED.value])
    counted = (
        select(func.count(), func.sum(in_time))
        .select_from(deliveries)
        .join(messages, is_own())
        .where(m.accepted_at >= since, or_(left.is_not(None), and_(m.accepted_at <= now - DELIVERED_WITHIN, ~overtaken)))
    )
    count, good = connection.execute(counted).one()
    sentence = "Handed to the authority within 15 minutes of being accepted."
    return Objective("delivered-in-time", sentence, Unit.SHARE, DELIVERED_SHARE, good / count if count else None, count)


def _logged(connection: Connection, now: datetime, since: datetime, within: timedelta) -> Objective:
    leaf, pending, signed = audit_tables.leaf.c, audit_tables.pending.c, audit_tables.checkpoint.c
    limit = within // timedelta(microseconds=1)
    first = select(signed.signed_at).where(signed.size > leaf.idx).order_by(signed.size).limit(1).scalar_subquery()
    in_time = case((first - leaf.created_at <= limit, 1), else_=0)
    accepted = "notification:accepted"
    old = micros(now) - limit
    sequenced = select(func.count(), func.sum(in_time)).where(
        leaf.tag == accepted, leaf.created_at >= micros(since), or_(leaf.created_at <= old, first.is_not(None))
    )
    count, good = connection.execute(sequenced).one()
    late = connection.scalar(select(func.count()).where(pending.tag == accepted, pending.created_at < old)) or 0
    sentence = f"In the signed log within {within.total_seconds():.0f} seconds of being accepted, as each answer promises."
    return Objective("logged-in-time", sentence, Unit.SHARE, 1.0, (good or 0) / (count + late) if count + late else None, count + late)


def _signed(connection: Connection, now: datetime) -> Objective:
    leaf, pending = audit_tables.leaf.c, audit_tables.pending.c
    last = latest_signed(connection, audit_tables)
    unsigned = [
        connection.scalar(select(func.min(leaf.created_at)).where(leaf.idx >= (last.size if last else 0))),
        connection.scalar(select(func.min(pending.created_at))),
    ]
    oldest = min((each for each in unsigned if each is not None), default=None)
    measured = None if last is None and oldest is None else max(0.0, (micros(now) - oldest) / _SECOND) if oldest is not None else 0.0
    sentence = "Whatever happened is under a signed checkpoint within 5 minutes; measured is the oldest entry that is not."
    return Objective("checkpoint-in-time", sentence, Unit.SECONDS, SIGNED_WITHIN.total_seconds(), measured, last.size if last else 0)


def _waiting(connection: Connection, now: datetime) -> Objective:
    m, d = messages.c, deliveries.c
    queued = select(func.count(), func.min(m.accepted_at)).select_from(deliveries).join(messages, is_own())
    count, oldest = connection.execute(queued.where(d.state == State.QUEUED.value)).one()
    measured = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    sentence = "The oldest that waits to leave; what is parked counts too."
    return Objective("oldest-waiting", sentence, Unit.SECONDS, WAITING_AT_MOST.total_seconds(), measured, count)
