# SPDX-License-Identifier: MIT
"""When to look next at an authority's SFTP server for what it says it has, and what came of the last look."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_if_absent

from notify_gateway.store.tables import deliveries, sftp_looks

_l = sftp_looks.c


def take_due(connection: Connection, among: Collection[str], *, now: datetime, next_at: datetime) -> list[str]:
    """Return those of the authorities that have something waiting by SFTP and are due for a look; the next is put at ``next_at``.

    Of several schedulers that ask at once, one gets each. An instant left by a clock that was wrong holds nothing up.
    """
    d = deliveries.c
    offered = select(d.authority).where(d.authority.in_(among), d.state == "offered", d.channel == "sftp")
    waiting = connection.scalars(offered.distinct()).all()
    if not waiting:
        return []
    rows = [{"authority": each, "due_at": now} for each in sorted(waiting)]
    connection.execute(insert_if_absent(sftp_looks).on_conflict_do_nothing(), rows)
    due = or_(_l.due_at <= now, _l.due_at > next_at)
    taken = update(sftp_looks).where(_l.authority.in_(waiting), due).values(due_at=next_at)
    return sorted(connection.scalars(taken.returning(_l.authority)))


def looked(connection: Connection, authority: str, *, now: datetime, code: str, next_at: datetime | None = None) -> str | None:
    """Keep what came of a look, and move the next one where there is more to read; return what came of the look before."""
    before: str | None = connection.scalar(select(_l.code).where(_l.authority == authority))
    values = {"looked_at": now, "code": code} | ({"due_at": next_at} if next_at else {})
    connection.execute(update(sftp_looks).where(_l.authority == authority).values(values))
    return before
