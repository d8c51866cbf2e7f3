# SPDX-License-Identifier: MIT
"""OperationOutcome and Task: sound FHIR R4 in fixed words, without identity."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.task import Task

from notify_gateway.domain.catalogue import Code, all_entries
from notify_gateway.domain.errors import Issue
from notify_gateway.domain.lifecycle import TABLE, State
from notify_gateway.fhir.outcome import operation_outcome, status_of
from notify_gateway.fhir.task import TaskFacts, task_resource


def test_every_code_makes_a_sound_operation_outcome() -> None:
    outcome = operation_outcome([Issue(known.code, "Bundle.entry[0]") for known in all_entries()])
    OperationOutcome.model_validate(outcome)
    assert len(outcome["issue"]) == len(all_entries())


def test_an_issue_tells_code_rule_place_and_fix() -> None:
    (issue,) = operation_outcome([Issue(Code.PARENT_NOT_INFORMED, "Bundle.entry[1].resource")])["issue"]
    assert issue["code"] == "business-rule"
    assert [coding["code"] for coding in issue["details"]["coding"]] == ["REC_UNPROCESSABLE_ENTITY", "NG-4001"]
    assert issue["expression"] == ["Bundle.entry[1].resource"]
    assert "Section 23(2)(a)" in issue["diagnostics"]
    assert "send again" in issue["diagnostics"]


def test_an_issue_without_a_place_has_no_expression() -> None:
    assert "expression" not in operation_outcome([Issue(Code.TOKEN_MISSING)])["issue"][0]


def test_the_first_issue_decides_the_status() -> None:
    assert status_of([Issue(Code.TOKEN_MISSING), Issue(Code.SERVER_ERROR)]) == 401


@pytest.mark.parametrize("state", State)
def test_every_state_makes_a_sound_task(state: State) -> None:
    moment = datetime(2026, 1, 14, 10, 15, tzinfo=UTC)
    facts = TaskFacts(
        notification_id=UUID("ea1e9f16-b1fe-5d52-a9f9-eab21a168d27"),
        reference="SEN-7K2M9QXR-C",
        state=state,
        authority="E06000004",
        sender_ods="RXX",
        accepted_at=moment,
        changed_at=moment,
        outputs={"acknowledged-at": moment, "outcome": "early-support", "outcome-on": date(2026, 2, 1)},
    )
    task = task_resource(facts)
    Task.model_validate(task)
    assert task["status"] == TABLE[state].task_status
    assert task["businessStatus"]["coding"][0]["code"] == state
    assert [set(output) - {"type"} for output in task["output"]] == [{"valueDateTime"}, {"valueCode"}, {"valueDate"}]
    assert "for" not in task
