# SPDX-License-Identifier: MIT
"""Where a case stands, in one table; when its step is due; and when that is late."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mappings.holidays import Calendar
from notify_gateway.domain.case_clock import Bucket, DueRules, Facts, Place, Stage, late_before, place, working_days
from notify_gateway.domain.casework import STATUSES, Status, Step
from notify_gateway.domain.casework_words import CODES

CALENDAR = Calendar.load()
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
RULES = DueRules()


def facts(**others: Any) -> Facts:
    usual: dict[str, Any] = {"stage": Stage.RECEIVED, "clock_on": FRIDAY, "turn_on": FRIDAY, "assigned": False}
    return Facts(**(usual | others))


def stands(status: Status, bucket: Bucket, step: Step, on: date | None = None) -> Place:
    return Place(status, bucket, step, on)


TO_DO, WAITING, FINISHED = Bucket.TO_DO, Bucket.WAITING, Bucket.FINISHED
TOOK, SPOKE, ENDED, BACK = Stage.ACKNOWLEDGED, Stage.CONTACTED, Stage.OUTCOME, Stage.SENT_BACK


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, stands(Status.RECEIVED, TO_DO, Step.ACKNOWLEDGE, date(2026, 11, 24))),
        ({"turn_on": MONDAY}, stands(Status.RECEIVED, TO_DO, Step.ACKNOWLEDGE, date(2026, 11, 25))),
        ({"stage": TOOK}, stands(Status.ACKNOWLEDGED, TO_DO, Step.ALLOCATE, date(2026, 11, 27))),
        ({"stage": TOOK, "assigned": True}, stands(Status.ACKNOWLEDGED, TO_DO, Step.CONTACT, date(2026, 12, 4))),
        ({"stage": SPOKE}, stands(Status.CONTACTED, TO_DO, Step.OUTCOME, date(2026, 12, 18))),
        ({"stage": SPOKE, "paused_days": 5}, stands(Status.CONTACTED, TO_DO, Step.OUTCOME, date(2026, 12, 29))),
        ({"stage": SPOKE, "asked": True}, stands(Status.QUESTION, WAITING, Step.OUTCOME, date(2026, 12, 18))),
        (
            {"stage": SPOKE, "extended_step": "outcome", "extended_on": date(2027, 1, 5)},
            stands(Status.CONTACTED, TO_DO, Step.OUTCOME, date(2027, 1, 5)),
        ),
        (
            {"stage": SPOKE, "extended_step": "contact", "extended_on": date(2027, 1, 5)},
            stands(Status.CONTACTED, TO_DO, Step.OUTCOME, date(2026, 12, 18)),
        ),
        ({"stage": ENDED}, stands(Status.OUTCOME, FINISHED, Step.NOTHING)),
        ({"stage": BACK}, stands(Status.SENT_BACK, WAITING, Step.NOTHING)),
        ({"stage": BACK, "resent": True}, stands(Status.SENT_BACK, FINISHED, Step.NOTHING)),
        ({"stage": SPOKE, "duplicate": True}, stands(Status.DUPLICATE, FINISHED, Step.NOTHING)),
        ({"stage": SPOKE, "withdrawn": True, "asked": True}, stands(Status.WITHDRAWN, TO_DO, Step.CLOSE)),
        ({"stage": ENDED, "withdrawn": True, "closed": True}, stands(Status.WITHDRAWN, FINISHED, Step.NOTHING)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_where_a_case_stands_follows_from_its_facts(given: dict[str, Any], expected: Place) -> None:
    assert place(facts(**given), RULES, CALENDAR) == expected


def test_where_notifications_are_for_planning_no_contact_is_due() -> None:
    rules = DueRules(RULES.days, planning_only=True)
    assert place(facts(stage=TOOK, assigned=True), rules, CALENDAR).step is Step.OUTCOME


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 11, 18), (2, False)),
        (FRIDAY, (0, False)),
        (date(2026, 11, 22), (0, False)),
        (MONDAY, (1, True)),
        (date(2026, 11, 27), (5, True)),
    ],
    ids=["two-left", "today", "on-a-sunday", "one-late", "five-late"],
)
def test_nothing_becomes_late_on_a_weekend(today: date, expected: tuple[int, bool]) -> None:
    assert working_days(FRIDAY, today, CALENDAR) == expected
    assert (late_before(today, CALENDAR) > FRIDAY) is expected[1]


def test_every_status_has_its_words_and_every_code_its_own() -> None:
    assert set(STATUSES) == set(Status)
    for kind, words in CODES.items():
        assert set(words) == set(kind)
        assert len(set(words.values())) == len(words)
