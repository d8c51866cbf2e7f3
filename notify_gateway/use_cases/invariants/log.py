# SPDX-License-Identifier: MIT
"""Invariants between what is held and what the log says: each acceptance and receipt is in it, and what it says was accepted is held."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, union_all

from audit.events import micros
from notify_gateway.store.expressions import standing_still
from notify_gateway.store.tables import audit_tables, deliveries, delivery_steps, messages, notifications, succession_tables
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.finding import MOST_REFERENCES, SAMPLE, WITHIN, Finding, Level, judge, sampled

_PAGE = 1_000


def unlogged(event: ColumnElement[Any], core: Core) -> ColumnElement[bool]:
    """Return the condition that the event is neither in a log, living or closed, nor waiting for its place within the promised time."""
    leaf, past, pending = audit_tables.leaf.c, succession_tables.leaf.c, audit_tables.pending.c
    since = micros(core.clock.now() - core.settings.promise_within)
    return and_(
        ~select(leaf.idx).where(leaf.event_id == event).exists(),
        ~select(past.idx).where(past.event_id == event).exists(),
        ~select(pending.arrival).where(pending.event_id == event, pending.created_at >= since).exists(),
    )


class AcceptancesAreLogged:
    """What was answered 202 can be proved."""

    name = "acceptances-are-logged"
    sentence = "Each accepted message is in the audit log, or has waited for its place for less than a minute."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at messages and at what waits."""
        m, n = messages.c, notifications.c
        broken = (
            select(n.reference)
            .select_from(messages)
            .join(notifications, n.id == m.notification_id)
            .where(sampled(messages, whole=whole), unlogged(m.accepted_event, core))
        )
        with standing_still(core.engine, within=WITHIN) as connection:
            return judge(self, connection, broken, "Every message that was looked at is in the log, or about to be.")


class ReceiptsAreLogged:
    """What an authority was given a receipt for can be proved."""

    name = "receipts-are-logged"
    sentence = "Each receipt, acknowledgement and later step of an authority is in the audit log, or about to be."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at deliveries with their steps."""
        d, s, n = deliveries.c, delivery_steps.c, notifications.c
        these = sampled(deliveries, whole=whole)
        given = union_all(
            *(select(d.notification_id, each.label("event")).where(these, at.is_not(None)) for at, each in _receipts(d)),
            select(d.notification_id, s.event_id).join(deliveries, d.id == s.delivery_id).where(these),
        ).subquery("given")
        missing = or_(given.c.event.is_(None), unlogged(given.c.event, core))
        broken = select(n.reference).select_from(given).join(notifications, n.id == given.c.notification_id).where(missing)
        with standing_still(core.engine, within=WITHIN) as connection:
            return judge(self, connection, broken, "Every receipt that was looked at is in the log, or about to be.")


class AcceptancesAreHeld:
    """Nothing that the log says was accepted is gone from the tables."""

    name = "acceptances-are-held"
    sentence = "Each acceptance in the audit log is of a message that is held."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at the newest entries and a part of the others, or at all, and at those that wait for their place."""
        leaf, pending = audit_tables.leaf.c, audit_tables.pending.c
        accepted = select(leaf.event_id, leaf.subject).where(leaf.tag == "notification:accepted")
        with standing_still(core.engine, within=WITHIN) as connection:
            size = connection.scalar(select(func.max(leaf.idx))) or 0
            parts = [select(pending.event_id, pending.subject).where(pending.tag == "notification:accepted")]
            parts += [accepted.where(leaf.idx >= first, leaf.idx < first + SAMPLE) for first in _windows(size, whole=whole)]
            lost = [row.subject for part in parts for row in _lost(connection, part)]
        said = "What the log says was accepted is held."
        if lost:
            said = "The log says that it was accepted, and it is not held. The references are ids of notifications."
        references = tuple(dict.fromkeys(lost))[:MOST_REFERENCES]
        return Finding(self.name, self.sentence, Level.FAIL if lost else Level.OK, len(lost), references, said)


def _receipts(d: Any) -> Iterator[tuple[Any, Any]]:
    yield d.received_at, d.received_event
    yield d.acknowledged_at, d.acknowledged_event


def _windows(last: int, *, whole: bool) -> list[int]:
    """Return the first entries of the stretches to look at."""
    if whole or last < 2 * SAMPLE:
        return list(range(0, last + 1, SAMPLE))
    return [last + 1 - SAMPLE, random.randrange(last - SAMPLE)]  # noqa: S311 - which part is looked at is no secret


def _lost(connection: Connection, part: Select[Any]) -> Iterator[Row[Any]]:
    m = messages.c
    found = connection.execute(part).all()
    for rows in (found[start : start + _PAGE] for start in range(0, len(found), _PAGE)):
        held = select(m.accepted_event).where(m.notification_id.in_([UUID(row.subject) for row in rows]))
        known = set(connection.scalars(held))
        yield from (row for row in rows if row.event_id not in known)
