# SPDX-License-Identifier: MIT
"""Going on after the database was restored to an earlier point, and closing a log at the turn of the year.

The old log is closed at what was signed last, the next one begins with the gap and with who opened it, what was erased is erased again, and
each trust is told which time to send again: of what was lost, only the trusts know what it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, or_, select

from audit.note import Signer
from audit.succession import Log, Standing, look, succeed
from notify_gateway.settings import Settings
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import (
    audit_tables,
    authorities,
    clients,
    cosigning_tables,
    deliveries,
    messages,
    notifications,
    succession_tables,
)
from notify_gateway.use_cases import erase, log_keys
from notify_gateway.use_cases.gateway import Core

MARGIN = timedelta(minutes=2)
"""What was accepted just before the restored point may have been accepted by a process whose clock was a little off."""
CLOCKS_APART = timedelta(days=1)
"""What an authority may have received, by its own clock, since an instant: its list reaches back so far that no clock is that wrong."""
_YEAR = re.compile(r"(.*/)(20[0-9]{2})")
_NEVER = datetime.fromtimestamp(0, UTC)
_NUMBERED = re.compile(r"(.*)\.r([0-9]+)")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is still held, as the organisation knows it: a message by its Task and X-Request-ID, or a delivery by its id."""

    id: UUID
    reference: str
    request_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SendAgain:
    """What a trust has to send again: all that it got a 202 for between the two instants, but for what is ``kept``."""

    trust: str
    name: str
    since: datetime
    until: datetime
    held: int
    last_held_at: datetime | None
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """What an authority sets aside: all that it received since the instant, but for the deliveries that are ``kept``; it comes again."""

    authority: str
    since: datetime
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Reopened:
    """What was done: how the old log stood, the name of the next, and how many messages were erased again."""

    standing: Standing
    origin: str
    erased_again: int


def log_of(core: Core) -> Log:
    """Return the log that lives, with its guard."""
    chosen = core.settings
    return Log(core.engine, audit_tables, succession_tables, cosigning_tables, chosen.guard_file, chosen.log_origin)


def standing(core: Core) -> Standing:
    """Return what the guard remembers and what the database holds; raises ``GuardRefused`` when the guard remembers nothing."""
    return look(log_of(core))


def next_origin(settings: Settings, *, restored: bool) -> str:
    """Return the name that the next log is given unless another is chosen: next year's, or the same with a number of the restoration."""
    origin = settings.log_origin
    if not restored and (year := _YEAR.fullmatch(origin)):
        return f"{year[1]}{int(year[2]) + 1}"
    if numbered := _NUMBERED.fullmatch(origin):
        return f"{numbered[1]}.r{int(numbered[2]) + 1}"
    return f"{origin}.r1"


def open_next(core: Core, *, origin: str, reason: str, actor: str, restored: bool, guard_lost: bool = False) -> Reopened:
    """Close the log and open the next one; everything that runs has to be given its name. What was erased is erased again.

    ``guard_lost``: the guard file is an older copy too. Raises ``SuccessionRefused``, ``GuardRefused``, ``KeyFileError``.
    """
    found = succeed(
        log_of(core),
        origin=origin,
        signers=_signers(core, origin),
        actor=actor,
        reason=reason,
        now=core.clock.now,
        restored=restored,
        guard_lost=guard_lost,
    )
    erase.finish(core)
    return Reopened(found, origin, erase.replay(core, actor=actor))


def send_again(core: Core, found: Standing) -> list[SendAgain]:
    """Return, for each trust, the time of which it has to send everything again that is not among what is kept of that time."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        since = _lost_since(connection, found)
        c, m, n = clients.c, messages.c, notifications.c
        counted = (
            select(c.id, c.code, c.name, func.count(m.id).label("held"), func.max(m.accepted_at).label("last"))
            .outerjoin(messages, m.client_id == c.id)
            .where(c.kind == "trust", c.closed_at.is_(None))
            .group_by(c.id, c.code, c.name)
            .order_by(c.code)
        )
        rows = connection.execute(counted).all()
        late = select(m.client_id, n.id, n.reference, m.request_id).join(notifications, n.id == m.notification_id)
        kept = _by_owner(connection, late.where(m.accepted_at >= since).order_by(m.accepted_at, m.id))
    return [SendAgain(row.code, row.name, since, now, row.held, row.last, kept.get(row.id, ())) for row in rows]


def set_aside(core: Core, found: Standing) -> list[SetAside]:
    """Return, for each authority, from when on it sets aside what it received and is not among what is kept: that is sent again.

    What is kept may be delivered a second time, under the id that it had.
    """
    with reading(core.engine).begin() as connection:
        since = _lost_since(connection, found)
        d, n = deliveries.c, notifications.c
        of_that_time = or_(d.received_at.is_(None), d.received_at >= max(since - CLOCKS_APART, _NEVER))
        late = select(d.authority, d.id, n.reference).join(notifications, n.id == d.notification_id)
        # What was cancelled or superseded before the restored point never left.
        kept = _by_owner(connection, late.where(of_that_time, d.state.not_in(("cancelled", "superseded"))).order_by(n.reference, d.id))
        served = connection.scalars(select(authorities.c.gss).order_by(authorities.c.gss)).all()
    return [SetAside(gss, since, kept.get(gss, ())) for gss in served]


def _lost_since(connection: Connection, found: Standing) -> datetime:
    """Return from when on something may be lost: what is surely there is what the earlier of the two memories knows.

    To send a message twice is harmless, to leave one out is not.
    """
    last = connection.scalar(select(func.max(messages.c.accepted_at)))
    known = [each for each in (last, _instant(found.newest_at)) if each is not None]
    return max(min(known) - MARGIN, _NEVER) if known else _NEVER


def _by_owner(connection: Connection, statement: Select[Any]) -> dict[Any, tuple[Kept, ...]]:
    found: dict[Any, list[Kept]] = {}
    for owner, *kept in connection.execute(statement):
        found.setdefault(owner, []).append(Kept(*kept))
    return {owner: tuple(each) for owner, each in found.items()}


def _signers(core: Core, origin: str) -> tuple[Signer, ...]:
    return log_keys.signers(core.settings.keys, origin)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else datetime.fromtimestamp(micros / 1_000_000, UTC)
