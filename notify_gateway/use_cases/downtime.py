# SPDX-License-Identifier: MIT
"""Planned downtime: hours in which nothing goes out to an authority, no attempt is spent and nobody is alarmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, Refused
from notify_gateway.domain.operating import DowntimeReason
from notify_gateway.domain.route import ChannelName
from notify_gateway.store import circuits, parties
from notify_gateway.store.circuits import Downtime
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core


def plan_downtime(core: Core, *, authority: str, starts_at: datetime, ends_at: datetime, reason: DowntimeReason, actor: str) -> Downtime:
    """Keep that the authority's system will be away; what is due in those hours goes out when they are over.

    Raises ``NotFound`` for an authority that is not on the service, ``Refused`` unless it ends after it starts, and in the future.
    """
    with core.engine.begin() as connection:
        if authority not in parties.receivers(connection):
            raise NotFound(Issue(Code.AUTHORITY_NOT_SERVED))
        (planned,) = _plan(core, connection, [authority], starts_at, ends_at, reason, actor)
    return planned


def plan_channel_downtime(
    core: Core, *, channel: ChannelName, starts_at: datetime, ends_at: datetime, reason: DowntimeReason, actor: str
) -> list[Downtime]:
    """Keep that nothing goes out to any authority that has the channel now, in one transaction; return one downtime for each.

    So a channel is drained: what is under way ends, and nothing follows it. Raises ``Refused`` unless it ends after it starts, and in the
    future.
    """
    with core.engine.begin() as connection:
        chosen = [each.gss for each in parties.receivers(connection).values() if each.channel == channel]
        return _plan(core, connection, sorted(chosen), starts_at, ends_at, reason, actor)


def _plan(
    core: Core, connection: Connection, chosen: Sequence[str], starts_at: datetime, ends_at: datetime, reason: DowntimeReason, actor: str
) -> list[Downtime]:
    now = core.clock.now()
    if ends_at <= max(starts_at, now):
        raise Refused(Issue(Code.DOWNTIME_SPAN))
    made = [Downtime(uuid4(), authority, starts_at, ends_at, reason.value, actor, now) for authority in chosen]
    span = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    for downtime in made:
        circuits.plan(connection, downtime)
        _record(connection, "downtime:planned", downtime, actor, now, reason=reason.value, **span)
    return made


def end_downtime(core: Core, *, downtime_id: UUID, actor: str) -> Downtime:
    """End a downtime before its time, or call it off; one that is over stays as it is. Raises ``NotFound`` where there is none."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        downtime = circuits.find_downtime(connection, downtime_id)
        if downtime is None:
            raise NotFound(Issue(Code.DOWNTIME_UNKNOWN))
        if downtime.ended_at is not None or downtime.ends_at <= now:
            return downtime
        circuits.end(connection, downtime_id, by=actor, at=now)
        _record(connection, "downtime:ended", downtime, actor, now)
    return replace(downtime, ended_by=actor, ended_at=now)


def list_downtimes(core: Core, *, authority: str | None = None, past: bool = False) -> list[Downtime]:
    """Return what is planned, in order of its beginning: what is on and to come, or with ``past`` all that ever was."""
    with reading(core.engine).begin() as connection:
        return circuits.list_downtimes(connection, authority=authority, ending_after=None if past else core.clock.now())


def _record(connection: Connection, tag: str, downtime: Downtime, actor: str, now: datetime, **fields: str) -> None:
    told = {"authority": downtime.authority, **fields}
    append(connection, audit_tables, [Event(tag, at=now, actor=actor, subject=str(downtime.id), fields=told)])
