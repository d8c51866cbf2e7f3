# SPDX-License-Identifier: MIT
"""Notices on top of a page, dismissed by each person for themselves."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import audit_tables, case_tables
from notify_gateway.use_cases.gateway import Gateway


def dismiss(gateway: Gateway, *, by: Person, notice: UUID) -> None:
    """The person does not see the notice again; others do. Said again, it changes nothing. Raises ``NotAllowed``, ``NotFound``."""
    require(by, Act.READ_INBOX)
    now = gateway.clock.now()
    n, c = case_tables.notices.c, case_tables.cases.c
    with scoped(gateway.engine, by.organisation) as connection:
        found = select(c.notification_id, n.kind).join(case_tables.cases, c.id == n.case_id)
        row = connection.execute(found.where(n.id == notice, n.authority == by.organisation)).one_or_none()
        if row is None:
            raise NotFound(Issue(Code.CASE_UNKNOWN))
        # Both databases spell it alike.
        values = {"notice_id": notice, "person": by.id, "authority": by.organisation, "at": now}
        made = upsert(case_tables.dismissed).values(values).on_conflict_do_nothing()
        if connection.execute(made).rowcount == 1:
            fields: dict[str, str | int] = {"authority": by.organisation, "kind": row.kind}
            event = Event("case:notice_dismissed", at=now, actor=by.actor, subject=str(row.notification_id), fields=fields)
            append(connection, audit_tables, [event])
