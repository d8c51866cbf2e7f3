# SPDX-License-Identifier: MIT
"""A case follows its delivery where the authority's own system speaks of it instead of a person at the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.lifecycle import State
from notify_gateway.store import case_parts
from notify_gateway.store.cases import CaseRow, Cases
from notify_gateway.store.collection import AuthorityDeliveries, Step
from notify_gateway.use_cases.inbox.placing import changed, go_on, tell


def by_system(connection: Connection, authority: str, delivery_id: UUID, *, now: datetime) -> None:
    """The authority's case of the delivery, where its inbox has one, says what the delivery says. The caller has locked the delivery."""
    own = AuthorityDeliveries(connection, authority)
    row = own.find(delivery_id)
    cases = Cases(connection, authority)
    case = cases.of_notification(row.notification_id, lock=True) if row is not None else None
    if row is None or case is None or case.delivery_id != delivery_id:
        return
    steps = own.steps(delivery_id)
    values = _values(case, State(row.state), steps[-1] if steps else None, now)
    if values is None:
        return
    followed = changed(case, cases.rules(), now=now, **values)
    cases.save(followed)
    if followed.outcome is not None and row.state == State.OUTCOME:
        parts = case_parts.Parts(connection, authority)
        parts.supersede_outcome(case.id, at=now, by=authority, because="replaced")
        parts.add_outcome(case.id, uuid4(), code=followed.outcome, on=steps[-1].on, review_on=None, by=authority, at=now)
    event_id = steps[-1].event_id if steps else row.acknowledged_event
    tell(cases, followed, str(row.state), at=now, actor=authority, event_id=event_id)


def _values(case: CaseRow, state: State, step: Step | None, now: datetime) -> dict[str, Any] | None:
    if state is State.ACKNOWLEDGED:
        return {"stage": after_acknowledgement(case).value}
    if state is State.CONTACTED and step is not None:
        return {"stage": Stage.CONTACTED.value, "contacted_on": case.contacted_on or step.on, "next_try_on": None}
    if state is State.OUTCOME and step is not None:
        return {"stage": Stage.OUTCOME.value, "outcome": step.code, **go_on(case, now=now)}
    if state is State.SENT_BACK and step is not None:
        sent = {"sent_back_at": now, "sent_back_reason": step.code, "suggested": step.suggested, "resent_at": None}
        return {"stage": Stage.SENT_BACK.value, **sent, **go_on(case, now=now)}
    return None


def after_acknowledgement(case: CaseRow) -> Stage:
    """Return where an acknowledged case stands: whose family was contacted before an update came has not to be contacted anew."""
    return Stage.CONTACTED if case.contacted_on is not None else Stage.ACKNOWLEDGED
