# SPDX-License-Identifier: MIT
"""OperationOutcome and Task: sound FHIR R4 in fixed words, without identity."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.task import Task

from notify_gateway.domain.catalogue import Code, all_entries
from notify_gateway.domain.errors import Issue
from notify_gateway.domain.feedback import Happening
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


MOMENT = datetime(2026, 1, 14, 10, 15, tzinfo=UTC)
ON = date(2026, 2, 1)


def happened(what: str, on: date | None = None, code: str | None = None, suggested: str | None = None) -> Happening:
    return Happening(what=what, at=MOMENT, event="new", authority="E06000004", on=on, code=code, suggested=suggested)


HISTORY = (
    happened("accepted"),
    happened("offered"),
    happened("received"),
    happened("acknowledged"),
    happened("contacted", ON),
    happened("outcome", ON, "family-not-reached"),
    happened("outcome", ON, "portage"),
    happened("sent-back", code="moved", suggested="E06000002"),
)


def task_in(state: State) -> dict[str, Any]:
    return task_resource(
        TaskFacts(
            notification_id=UUID("ea1e9f16-b1fe-5d52-a9f9-eab21a168d27"),
            reference="SEN-7K2M9QXR-C",
            state=state,
            authority="E06000004",
            sender_ods="RXX",
            accepted_at=MOMENT,
            changed_at=MOMENT,
            present=HISTORY[1:],
            history=HISTORY,
        )
    )


@pytest.mark.parametrize("state", State)
def test_every_state_makes_a_sound_task(state: State) -> None:
    task = task_in(state)
    Task.model_validate(task)
    assert task["status"] == TABLE[state].task_status
    assert task["businessStatus"]["coding"][0]["code"] == state
    assert "for" not in task


def test_outputs_tell_instants_days_and_codes_and_of_several_outcomes_the_last() -> None:
    told = [(output["type"]["coding"][0]["code"], *(set(output) - {"type"})) for output in task_in(State.OUTCOME)["output"]]
    assert told == [
        ("offered", "valueDateTime"),
        ("received", "valueDateTime"),
        ("acknowledged", "valueDateTime"),
        ("contacted", "valueDate"),
        ("outcome", "valueCodeableConcept"),
        ("outcome-on", "valueDate"),
        ("sent-back", "valueDateTime"),
        ("suggested-authority", "valueReference"),
    ]
    outcome = task_in(State.OUTCOME)["output"][4]["valueCodeableConcept"]["coding"][0]
    assert (outcome["code"], outcome["display"]) == ("portage", "Portage or home visiting")


def test_the_history_has_them_all_and_only_what_was_sent_back_has_a_reason() -> None:
    task = task_in(State.SENT_BACK)
    history = [{part["url"]: part for part in each["extension"]} for each in task["extension"]]
    assert [each["what"]["valueCode"] for each in history] == [each.what for each in HISTORY]
    assert [each["code"]["valueCoding"]["code"] for each in history if "code" in each] == ["family-not-reached", "portage", "moved"]
    assert task["statusReason"]["coding"][0]["code"] == "moved"
    assert "statusReason" not in task_in(State.OUTCOME)
