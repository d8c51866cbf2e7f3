# SPDX-License-Identifier: MIT
"""Going on after the database was restored to an earlier point, and closing a log at the turn of the year.

The old log is closed at what was signed last, the next one begins with the gap and with who opened it, what was erased is erased again, and
each trust is told which time to send again: of what was lost, only the trusts know what it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from audit.note import Signer
from audit.succession import Log, Standing, look, succeed
from notify_gateway.settings import Settings
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, clients, cosigning_tables, messages, succession_tables
from notify_gateway.use_cases import erase, log_keys
from notify_gateway.use_cases.gateway import Core

MARGIN = timedelta(minutes=2)
"""What was accepted just before the restored point may have been accepted by a process whose clock was a little off."""
_YEAR = re.compile(r"(.*/)(20[0-9]{2})")
_NUMBERED = re.compile(r"(.*)\.r([0-9]+)")


@dataclass(frozen=True, slots=True)
class SendAgain:
    """What a trust has to send again: all that it got a 202 for between the two instants, and for which we now answer 404."""

    trust: str
    name: str
    since: datetime
    until: datetime
    held: int
    last_held_at: datetime | None


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


def open_next(core: Core, *, origin: str, reason: str, actor: str, restored: bool) -> Reopened:
    """Close the log and open the next one; everything that runs has to be given its name. What was erased is erased again.

    Raises ``SuccessionRefused``, ``GuardRefused``, ``KeyFileError``.
    """
    found = succeed(
        log_of(core), origin=origin, signers=_signers(core, origin), actor=actor, reason=reason, now=core.clock.now, restored=restored
    )
    erase.finish(core)
    return Reopened(found, origin, erase.replay(core, actor=actor))


def send_again(core: Core, found: Standing) -> list[SendAgain]:
    """Return, for each trust, the time of which it has to send everything again."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        last = connection.scalar(select(func.max(messages.c.accepted_at)))
        c, m = clients.c, messages.c
        counted = (
            select(c.code, c.name, func.count(m.id).label("held"), func.max(m.accepted_at).label("last"))
            .outerjoin(messages, m.client_id == c.id)
            .where(c.kind == "trust", c.closed_at.is_(None))
            .group_by(c.code, c.name)
            .order_by(c.code)
        )
        rows = connection.execute(counted).all()
    known = [each for each in (last, _instant(found.newest_at)) if each is not None]
    # What is surely there is what the earlier of the two knows; to send a message twice is harmless, to leave one out is not.
    since = (min(known) if known else datetime.fromtimestamp(0, UTC)) - MARGIN
    return [SendAgain(row.code, row.name, max(since, datetime.fromtimestamp(0, UTC)), now, row.held, row.last) for row in rows]


def _signers(core: Core, origin: str) -> tuple[Signer, ...]:
    return log_keys.signers(core.settings.keys, origin)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else datetime.fromtimestamp(micros / 1_000_000, UTC)
