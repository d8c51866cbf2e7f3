# SPDX-License-Identifier: MIT
"""Each authority by each channel as operators see it: what is open, what arrived, whether it answers, when it is away by plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from notify_gateway.domain.operating import Standing
from notify_gateway.domain.standing import Level, worst
from notify_gateway.store import mesh, overview, parties
from notify_gateway.store.circuits import Downtime
from notify_gateway.store.engine import reading
from notify_gateway.store.mesh import Lying
from notify_gateway.use_cases import downtime, operate
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.operate import AuthorityFlow
from notify_gateway.use_cases.overview import LATE, LONG_UNFETCHED, RECENT, UNFETCHED, VERY_LATE, level_by_age


@dataclass(frozen=True, slots=True)
class FlowShown:
    """How it goes with an authority by one channel; ``received`` in the last 24 hours, ``first_try`` of them by the first attempt."""

    name: str
    going: AuthorityFlow
    received: int
    first_try: int
    current: bool
    level: Level

    @property
    def needed_more(self) -> int | None:
        """Return how many per cent of what was received needed more than one attempt; None where nothing was received."""
        return None if not self.received else round(100 * (self.received - self.first_try) / self.received)


@dataclass(frozen=True, slots=True)
class LyingShown:
    """What an authority has not collected from its MESH mailbox; somebody has to look once MESH has held it for days."""

    lying: Lying
    level: Level


@dataclass(frozen=True, slots=True)
class Flows:
    """All of them, the downtimes that are on or to come, and what lies uncollected in MESH."""

    at: datetime
    flows: tuple[FlowShown, ...]
    downtimes: tuple[Downtime, ...]
    uncollected: tuple[LyingShown, ...]


def show_flows(core: Core) -> Flows:
    """Return how it goes with each authority by each channel that it has, or by which something is still open."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        receivers = parties.receivers(connection)
        arrived = {(each.authority, each.channel): each for each in overview.arrived(connection, since=now - RECENT)}
        lying = {
            (each.authority, each.channel): now - each.oldest
            for each in overview.waiting(connection, now=now)
            if each.standing is Standing.OFFERED
        }
    found = []
    for going in operate.list_flows(core):
        key = (going.flow.authority, going.flow.channel)
        come, receiver = arrived.get(key), receivers.get(going.flow.authority)
        level = _level(going, lying.get(key), now)
        current = receiver is not None and receiver.channel == going.flow.channel
        name = receiver.name if receiver else going.flow.authority
        found.append(FlowShown(name, going, come.count if come else 0, come.first_attempt if come else 0, current, level))
    return Flows(now, tuple(found), tuple(downtime.list_downtimes(core)), uncollected(core))


def uncollected(core: Core) -> tuple[LyingShown, ...]:
    """Return what lies in MESH and was not fetched, by mailbox; where it has lain longest comes first."""
    before = core.clock.now() - core.settings.mesh_uncollected_after
    with reading(core.engine).begin() as connection:
        found = mesh.lying(connection)
    return tuple(LyingShown(each, Level.WARN if each.told or each.oldest_at < before else Level.OK) for each in found)


def _level(going: AuthorityFlow, lying: timedelta | None, now: datetime) -> Level:
    flow = going.flow
    leaving = flow.waiting + flow.under_way + flow.failing
    age = now - flow.oldest_at if flow.oldest_at and leaving and not flow.offered else None
    planned = going.downtime is not None and going.downtime.is_on(now)
    # Hours that were planned are nobody's alarm.
    late = Level.OK if planned else level_by_age(age, LATE, VERY_LATE)
    trouble = Level.WARN if flow.parked or (going.circuit.is_open and not planned) else Level.OK
    return worst([late, trouble, level_by_age(lying, UNFETCHED, LONG_UNFETCHED)])
