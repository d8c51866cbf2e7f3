# SPDX-License-Identifier: MIT
"""What waits, what arrived and what the log holds, at one glance of the database. Counts and ages by organisation; nothing of a child."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notify_gateway.domain.operating import Standing
from notify_gateway.domain.standing import Level
from notify_gateway.store import overview, parties
from notify_gateway.store.engine import reading
from notify_gateway.use_cases.gateway import Core

LATE, VERY_LATE = timedelta(minutes=15), timedelta(hours=1)
"""How long a notification may wait to leave before it is looked at, and before somebody has to act."""
UNFETCHED, LONG_UNFETCHED = timedelta(hours=24), timedelta(hours=72)
"""How long an authority may leave something lying that was handed over to it."""
RECENT = timedelta(hours=24)
LEAVING = (Standing.WAITING, Standing.UNDER_WAY, Standing.FAILING)
"""What goes out by itself; what is parked waits for people."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How many wait, and for how long the oldest has; None when nothing does."""

    count: int
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One glance of the database."""

    now: datetime
    log: overview.LogState
    waiting: list[overview.Waiting] = field(repr=False)
    arrived: list[overview.Arrived] = field(repr=False)
    sent: list[overview.Sent] = field(repr=False)
    receivers: dict[str, parties.Receiver] = field(repr=False)

    def waits(self, standings: Collection[Standing], authority: str | None = None) -> Waits:
        """Return what waits in one of these standings, of all authorities or of one."""
        found = [each for each in self.waiting if each.standing in standings and authority in (None, each.authority)]
        oldest = min((each.oldest for each in found), default=None)
        return Waits(sum(each.count for each in found), None if oldest is None else max(timedelta(0), self.now - oldest))


def look(core: Core) -> Seen:
    """Look."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        return Seen(
            now=now,
            log=overview.log_state(connection, now=now, since=now - timedelta(hours=1)),
            waiting=overview.waiting(connection, now=now),
            arrived=overview.arrived(connection, since=now - RECENT),
            sent=overview.sent(connection, since=now - RECENT),
            receivers=parties.receivers(connection),
        )


def level_by_age(age: timedelta | None, late: timedelta, very_late: timedelta) -> Level:
    """Return how it is to have waited so long."""
    if age is None or age <= late:
        return Level.OK
    return Level.FAIL if age > very_late else Level.WARN
