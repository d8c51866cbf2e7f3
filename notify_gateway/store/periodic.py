# SPDX-License-Identifier: MIT
"""Work that is done from time to time by one process among several: whoever moves the row's instant does it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from notify_gateway.store.tables import periodic_work


def begin_when_due(connection: Connection, name: str, *, now: datetime, every: timedelta) -> bool:
    """Tell whether the caller is to do the work, which then counts as begun ``now`` once the transaction commits; of several, one is.

    An instant in the future, left by a clock that was wrong, holds nothing up.
    """
    w = periodic_work.c
    first = upsert(periodic_work).values(name=name, begun_at=now).on_conflict_do_nothing(index_elements=[w.name]).returning(w.name)
    if connection.execute(first).one_or_none() is not None:
        return True
    due = or_(w.begun_at <= now - every, w.begun_at > now)
    return connection.execute(update(periodic_work).where(w.name == name, due).values(begun_at=now)).rowcount == 1
