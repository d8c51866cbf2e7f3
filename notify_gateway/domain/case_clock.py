# SPDX-License-Identifier: MIT
"""Where a case stands and until when its next step is due, reckoned from facts: pure, with the calendar of working days passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mappings.holidays import Calendar
from notify_gateway.domain.casework import Status, Step


class Stage(StrEnum):
    """How far the authority has come with its latest delivery of a notification."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    OUTCOME = "outcome"
    SENT_BACK = "sent-back"


class Bucket(StrEnum):
    """In which of the three heaps a case lies; every tab is one of them, or a part of one."""

    TO_DO = "to-do"
    WAITING = "waiting"
    FINISHED = "finished"


_DEFAULT_DAYS: Final = MappingProxyType({Step.ACKNOWLEDGE: 2, Step.ALLOCATE: 5, Step.CONTACT: 10, Step.OUTCOME: 20})


@dataclass(frozen=True, slots=True)
class DueRules:
    """An authority's working days for each step; ``planning_only``: no family is contacted by rule."""

    days: Mapping[Step, int] = field(default_factory=lambda: _DEFAULT_DAYS)
    planning_only: bool = False


DEFAULT_RULES: Final = DueRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What of a case decides where it stands. ``turn_on``: the day on which the latest delivery came."""

    stage: Stage
    clock_on: date
    turn_on: date
    assigned: bool
    paused_days: int = 0
    asked: bool = False
    extended_step: str | None = None
    extended_on: date | None = None
    withdrawn: bool = False
    resent: bool = False
    closed: bool = False
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands: what it is called, in which heap it lies, what is next, and until when."""

    status: Status
    bucket: Bucket
    step: Step
    reply_on: date | None


_STATUS: Final = MappingProxyType(
    {
        Stage.RECEIVED: Status.RECEIVED,
        Stage.ACKNOWLEDGED: Status.ACKNOWLEDGED,
        Stage.CONTACTED: Status.CONTACTED,
        Stage.OUTCOME: Status.OUTCOME,
        Stage.SENT_BACK: Status.SENT_BACK,
    }
)


def place(facts: Facts, rules: DueRules, calendar: Calendar) -> Place:
    """Return where the case stands. What the trust took back comes first, then what waits for somebody, then the next step."""
    if facts.stage is Stage.SENT_BACK:
        bucket = Bucket.FINISHED if facts.resent or facts.closed else Bucket.WAITING
        return Place(Status.SENT_BACK, bucket, Step.NOTHING, None)
    if facts.withdrawn:
        if facts.closed:
            return Place(Status.WITHDRAWN, Bucket.FINISHED, Step.NOTHING, None)
        return Place(Status.WITHDRAWN, Bucket.TO_DO, Step.CLOSE, None)
    if facts.duplicate:
        return Place(Status.DUPLICATE, Bucket.FINISHED, Step.NOTHING, None)
    if facts.stage is Stage.OUTCOME:
        return Place(Status.OUTCOME, Bucket.FINISHED, Step.NOTHING, None)
    step = next_step(facts, rules)
    due = due_on(step, facts, rules, calendar)
    if facts.asked:
        return Place(Status.QUESTION, Bucket.WAITING, step, due)
    return Place(_STATUS[facts.stage], Bucket.TO_DO, step, due)


def next_step(facts: Facts, rules: DueRules) -> Step:
    """Return what is to be done next by the authority's own people, where there is anything."""
    if facts.stage is Stage.RECEIVED:
        return Step.ACKNOWLEDGE
    if facts.stage is Stage.CONTACTED:
        return Step.OUTCOME
    if not facts.assigned:
        return Step.ALLOCATE
    return Step.OUTCOME if rules.planning_only else Step.CONTACT


def due_on(step: Step, facts: Facts, rules: DueRules, calendar: Calendar) -> date:
    """Return until when the step is due: so many working days after the clock began, and later by those for which it stood still.

    What the trust sent anew is to be acknowledged anew, from the day on which that came.
    """
    if facts.extended_on is not None and facts.extended_step == step:
        return facts.extended_on
    start = facts.turn_on if step is Step.ACKNOWLEDGE else facts.clock_on
    return calendar.after(start, rules.days[step] + facts.paused_days)


def late_before(today: date, calendar: Calendar) -> date:
    """Return the day such that what was due before it is late: on a weekend nothing becomes late that was not on Friday."""
    return calendar.last_working_day(today)


def working_days(due: date, today: date, calendar: Calendar) -> tuple[int, bool]:
    """Return the working days that are left until ``due``, or those gone by since; and whether it is late."""
    if due < late_before(today, calendar):
        return calendar.between(due, today), True
    return calendar.between(today, due), False
