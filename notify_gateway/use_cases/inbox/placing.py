# SPDX-License-Identifier: MIT
"""Where a case stands after a change, and the history's entry of it: what every change of a case ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from mappings.holidays import Calendar
from notify_gateway.domain.case_clock import DueRules, place
from notify_gateway.domain.clock import london_day
from notify_gateway.store.cases import CaseEvent, CaseRow, Cases

SERVICE = "service"


def placed(row: CaseRow, rules: DueRules) -> CaseRow:
    """Return the case with status, heap, next step and its day as they follow from the rest."""
    found = place(row.facts, rules, Calendar.load())
    return replace(row, status=found.status.value, bucket=found.bucket.value, step=found.step.value, reply_on=found.reply_on)


def changed(row: CaseRow, rules: DueRules, *, now: datetime, **values: Any) -> CaseRow:
    """Return the case with these values, one version on, and where it stands then."""
    return placed(replace(row, **values, version=row.version + 1, changed_at=now), rules)


def go_on(row: CaseRow, *, now: datetime) -> dict[str, Any]:
    """Return what changes once no question is open any more: the working days for which the time stood still are added."""
    if row.asked_at is None:
        return {}
    still = Calendar.load().between(london_day(row.asked_at), london_day(now))
    return {"asked_at": None, "paused_days": row.paused_days + still}


def tell(
    cases: Cases,
    row: CaseRow,
    what: str,
    *,
    at: datetime,
    actor: str,
    event_id: UUID | None = None,
    form: UUID | None = None,
    details: Mapping[str, str] | None = None,
) -> None:
    """Put into the history what made the case what ``row`` says."""
    entry = CaseEvent(number=0, version=row.version, at=at, what=what, actor=actor, details=details or {}, event_id=event_id, form=form)
    cases.tell(row.id, entry)
