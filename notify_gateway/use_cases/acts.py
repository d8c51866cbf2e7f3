# SPDX-License-Identifier: MIT
"""Acts that cannot be undone: recorded before they are done, and again when they ended; of one that never ended, that is recorded too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from audit.events import Event, Value
from audit.log import append
from audit.vocabulary import VOCABULARY
from notify_gateway.store.tables import audit_tables, open_acts
from notify_gateway.use_cases.gateway import Core

UNSETTLED_AFTER = timedelta(minutes=5)
_UNSETTLED = {
    "alert:attempted": "alert:unsettled",
    "opening:attempted": "opening:unsettled",
    "export:attempted": "export:unsettled",
    "backup:attempted": "backup:unsettled",
    "download:attempted": "download:unsettled",
}


def begin(connection: Connection, act: UUID, event: Event) -> None:
    """The act stands in the log as begun once the transaction commits; it may be done after that, not before."""
    append(connection, audit_tables, [event])
    row = {"id": act, "tag": event.tag, "subject": event.subject, "fields": json.dumps(dict(event.fields)), "begun_at": event.at}
    connection.execute(insert(open_acts), [row])


def end(connection: Connection, act: UUID, event: Event) -> None:
    """The act's result is in the log once the transaction commits."""
    connection.execute(delete(open_acts).where(open_acts.c.id == act))
    append(connection, audit_tables, [event])


def settle_lost(core: Core) -> int:
    """Record, of acts that were begun over five minutes ago and have not ended, that their result is not known; return how many."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        lost = connection.execute(select(open_acts).where(open_acts.c.begun_at < now - UNSETTLED_AFTER).limit(500)).all()
        gone = connection.execute(delete(open_acts).where(open_acts.c.id.in_([row.id for row in lost])).returning(open_acts.c.id))
        taken = set(gone.scalars())
        told = [
            Event(tag, at=now, actor="service", subject=row.subject, fields=_known_to(tag, json.loads(row.fields)))
            for row, tag in ((row, _UNSETTLED[row.tag]) for row in lost if row.id in taken)
        ]
        append(connection, audit_tables, told)
    return len(told)


def _known_to(tag: str, fields: Mapping[str, Value]) -> dict[str, Value]:
    row = VOCABULARY[tag]
    return {name: value for name, value in fields.items() if name in row.fields or name in row.optional}
