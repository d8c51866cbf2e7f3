# SPDX-License-Identifier: MIT
"""The reconciliation file over HTTP: to each organisation its own day, with the checkpoint that it rests on."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from audit.note import open_checkpoint
from notify_gateway.domain.clock import london_day
from tests.support.answers import Acceptance, issue_codes
from tests.support.invariants import assert_invariants
from tests.support.messages import a_message
from tests.support.service import PULL, RunningService, a_message_for


def test_trust_and_authority_get_the_same_day_and_nobody_else_does(one_service: RunningService) -> None:
    service = one_service
    accepted = Acceptance.of(service.post(a_message_for(a_message(), PULL)))
    service.receipt(accepted.task_id)
    day = london_day(service.gateway.clock.now())

    answer = service.get(f"/reconciliation/{day}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    made = answer.json()
    assert open_checkpoint(made["log"]["checkpoint"], service.runtime.public.log).size == made["log"]["size"]
    (row,) = (each for each in made["deliveries"] if each["task"] == accepted.task_id)
    assert made["totals"]["balanced"] is True

    theirs = service.get(f"/reconciliation/{day}", token=service.pull_token).json()
    (same,) = (each for each in theirs["deliveries"] if each["task"] == accepted.task_id)
    assert (same["reference"], same["delivery"], same["accepted_at"]) == (row["reference"], row["delivery"], row["accepted_at"])
    assert accepted.task_id not in service.get(f"/reconciliation/{day}", token=service.other_trust_token).text
    assert accepted.task_id not in service.get(f"/reconciliation/{day}", token=service.webhook_token).text

    sheet = service.get(f"/reconciliation/{day}.csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert accepted.task_id in {line["task"] for line in csv.DictReader(io.StringIO(sheet.text, newline=""))}
    assert_invariants(service.gateway)


@pytest.mark.parametrize("day", ["2026-13-01", "20261120", "today", "2026-11-20x", "9999-12-31"])
@pytest.mark.parametrize("kind", ["", ".csv"])
def test_a_day_that_is_none_or_to_come_is_not_there(day: str, kind: str, one_service: RunningService) -> None:
    answer = one_service.get(f"/reconciliation/{day}{kind}")
    assert (answer.status_code, issue_codes(answer)) == (404, ["NG-8006"])


def test_tomorrow_is_not_there_and_a_reader_of_the_log_has_no_deliveries(one_service: RunningService) -> None:
    today = london_day(one_service.gateway.clock.now())
    assert one_service.get(f"/reconciliation/{today + timedelta(days=2)}").status_code == 404
    assert one_service.get(f"/reconciliation/{today}", token=one_service.ig_token).status_code == 403
