# SPDX-License-Identifier: MIT
"""Invariants of deliveries: each state and attempt stands in the log, none waits past its time, and none overtakes an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from notify_gateway.domain.lifecycle import State
from notify_gateway.store.circuits import away_by_plan, left_in_peace
from notify_gateway.store.expressions import standing_still, uuid_text
from notify_gateway.store.outbox import OPEN
from notify_gateway.store.tables import audit_tables, deliveries, notifications, succession_tables
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.finding import WITHIN, Finding, Level, judge, sampled
from notify_gateway.use_cases.shards import deleted_until

TAGS: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.QUEUED: "delivery:queued",
        State.OFFERED: "delivery:offered",
        State.RECEIVED: "delivery:received",
        State.ACKNOWLEDGED: "delivery:acknowledged",
        State.CONTACTED: "delivery:contacted",
        State.OUTCOME: "delivery:outcome",
        State.CANCELLED: "delivery:cancelled",
        State.SUPERSEDED: "delivery:superseded",
        State.SENT_BACK: "delivery:returned",
        State.GIVEN_UP: "delivery:given_up",
    }
)
"""The event by which a delivery comes to a state."""


class StatesAreLogged:
    """No delivery changed its state in silence."""

    name = "states-are-logged"
    sentence = "Each delivery's state has its entry in the audit log."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at deliveries."""
        tag = case({state.value: tag for state, tag in TAGS.items()}, value=deliveries.c.state, else_="")
        return _untold(self, core, tag, sampled(deliveries, whole=whole), "Every state that was looked at is in the log.")


class AttemptsAreLogged:
    """Nothing left the house before it was written down."""

    name = "attempts-are-logged"
    sentence = "No delivery was attempted without an entry in the audit log."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at deliveries that have attempts."""
        these = and_(deliveries.c.attempts > 0, sampled(deliveries, whole=whole))
        return _untold(self, core, "delivery:attempted", these, "Every delivery with attempts that was looked at has them in the log.")


class OrderIsKept:
    """No authority learns of the later before the earlier."""

    name = "order-is-kept"
    sentence = "No delivery was offered while an earlier one of the same notification and authority had not left."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at all that has not left, and behind it; that is little, however much has been delivered."""
        del whole
        d, earlier = deliveries.c, deliveries.alias("earlier")
        e = earlier.c
        broken = (
            select(notifications.c.reference)
            .select_from(earlier)
            .join(deliveries, and_(d.notification_id == e.notification_id, d.authority == e.authority, d.sequence > e.sequence))
            .join(notifications, notifications.c.id == d.notification_id)
            .where(e.state.in_(OPEN), d.offered_at.is_not(None), d.state.not_in(OPEN))
            .distinct()
        )
        with standing_still(core.engine, within=WITHIN) as connection:
            return judge(self, connection, broken, "Nothing was overtaken.")


class NothingIsOverdue:
    """Whatever can go out goes out; and what an authority leaves lying is told."""

    name = "nothing-is-overdue"
    sentence = "No delivery that is due and free has been left lying; none that was offered waits too long for its authority."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at all that waits: what lies is a failure, what an authority does not confirm a warning."""
        del whole
        d, now, chosen = deliveries.c, core.clock.now(), core.settings
        limit = now - chosen.overdue_after
        # What is left in peace may lie, and what was until a moment ago has only begun to go out.
        held_up = or_(d.authority.in_(left_in_peace(now)), d.authority.in_(away_by_plan(limit)))
        lying = _of(d.state == State.QUEUED.value, d.parked_at.is_(None), d.due_at < limit, _free(limit), ~_behind_another(), ~held_up)
        # What lies behind others that are under way is a backlog; where nothing is under way nobody works.
        busy = deliveries.alias("busy").c
        working = select(busy.authority).where(busy.state == State.QUEUED.value, busy.lease_until >= now)
        left = _of(d.state == State.OFFERED.value, d.offered_at < now - chosen.unconfirmed_after)
        with standing_still(core.engine, within=WITHIN) as connection:
            found = judge(
                self,
                connection,
                lying.where(d.authority.not_in(working)),
                "Nothing lies that could go out.",
                otherwise=f"Due and free for more than {_in_words(chosen.overdue_after)}: workers or scheduler do not do their work.",
            )
            if found.count:
                return found
            behind = f"A backlog that is being worked off: due for more than {_in_words(chosen.overdue_after)}."
            found = judge(self, connection, lying, found.said, otherwise=behind, level=Level.WARN)
            if found.count:
                return found
            oldest = connection.scalar(select(func.min(d.offered_at)).where(d.state == State.OFFERED.value))
            since = f"; the oldest since {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""
            said = f"Offered and not confirmed for more than {_in_words(chosen.unconfirmed_after)}{since}."
            return judge(self, connection, left, found.said, otherwise=said, level=Level.WARN)


def _of(*conditions: ColumnElement[bool]) -> Any:
    d, n = deliveries.c, notifications.c
    return select(n.reference).select_from(deliveries).join(notifications, n.id == d.notification_id).where(*conditions).order_by(d.due_at)


def _free(since: Any) -> ColumnElement[bool]:
    lease = deliveries.c.lease_until
    return or_(lease.is_(None), lease < since)


def _behind_another() -> ColumnElement[bool]:
    d, earlier = deliveries.c, deliveries.alias("earlier")
    e = earlier.c
    before = (e.notification_id == d.notification_id, e.authority == d.authority, e.sequence < d.sequence, e.state.in_(OPEN))
    return select(e.id).where(*before).exists()


def _untold(invariant: Any, core: Core, tag: Any, these: ColumnElement[bool], said: str) -> Finding:
    d, n = deliveries.c, notifications.c
    subject = uuid_text(d.id)
    told = [
        select(each.c.event_id).where(each.c.subject == subject, each.c.tag == tag).exists()
        for each in (audit_tables.leaf, audit_tables.pending, succession_tables.leaf)
    ]
    broken = select(n.reference).select_from(deliveries).join(notifications, n.id == d.notification_id).where(these, ~or_(*told))
    with standing_still(core.engine, within=WITHIN) as connection:
        gone = deleted_until(connection)
        # What entries that were deleted have told of is not known any more.
        return judge(invariant, connection, broken if gone is None else broken.where(n.created_at > gone), said)


def _in_words(span: timedelta) -> str:
    minutes = span // timedelta(minutes=1)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
