# SPDX-License-Identifier: MIT
"""What NHS systems send in other messages is read without a crash, carried where it may be, and refused for a true reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notify_gateway.domain.catalogue import Code
from tests.fhir import judge_examples
from tests.fhir.judge_examples import judge, wrapped
from tests.fhir.nhs_examples import BOOKING, CARRIED, COLLECTION, NOT_CARRIED, OUTCOME, REFERRAL, RESPONSE, SEARCHSET, text

OTHER_EVENT = {Code.EVENT_UNKNOWN, Code.DEFINITION_UNKNOWN, Code.REASON_UNKNOWN}
NOT_OURS: dict[str, tuple[dict[str, Any], set[Code]]] = {
    # a referral is structurally a message, of another event, whose focus is a request
    "a BaRS referral": (REFERRAL, {*OTHER_EVENT, Code.FOCUS}),
    "a BaRS response": (RESPONSE, {*OTHER_EVENT, Code.FOCUS}),
    # appointments and slots are no part of a notification; that is told before the event is looked at
    "a BaRS booking": (BOOKING, {Code.RESOURCE_TYPE_NOT_ACCEPTED}),
    "a collection": (COLLECTION, {Code.NOT_A_MESSAGE, Code.HEADER_NOT_FIRST}),
    "a searchset": (SEARCHSET, {Code.NOT_A_MESSAGE, Code.HEADER_NOT_FIRST, Code.STRUCTURE}),
    "an OperationOutcome": (OUTCOME, {Code.NOT_A_BUNDLE}),
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_no_notification_is_refused_for_what_it_is(name: str) -> None:
    document, codes = NOT_OURS[name]
    assert codes <= judge(text(document))


@pytest.mark.parametrize("resource", [*CARRIED, *NOT_CARRIED], ids=lambda resource: str(resource["resourceType"]))
def test_a_resource_alone_is_no_bundle(resource: dict[str, Any]) -> None:
    assert judge(text(resource)) == {Code.NOT_A_BUNDLE}


@pytest.mark.parametrize("resource", CARRIED, ids=lambda resource: str(resource["resourceType"]))
def test_a_uk_core_resource_in_a_notification_is_not_refused_for_its_structure(resource: dict[str, Any]) -> None:
    assert judge(wrapped(resource), structure_alone=True) == set()


@pytest.mark.parametrize("resource", NOT_CARRIED, ids=lambda resource: str(resource["resourceType"]))
def test_a_resource_of_a_kind_that_is_not_carried_is_named_as_such(resource: dict[str, Any]) -> None:
    assert judge(wrapped(resource)) == {Code.RESOURCE_TYPE_NOT_ACCEPTED}


def test_a_folder_of_others_examples_is_judged_file_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, document in enumerate((REFERRAL, BOOKING, SEARCHSET, *CARRIED)):
        (tmp_path / f"{number}.json").write_bytes(text(document))
    (tmp_path / "broken.json").write_text('{"resourceType": "Patient",,}')
    assert judge_examples.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "1 as it stands: NG-2003" in said
    assert f"{len(CARRIED)} as it stands: NG-2010" in said
    assert "carried: Practitioner: accepted" in said
    assert "CRASHED" not in said


def test_a_crash_would_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(body: bytes, **_: bool) -> set[str]:
        raise KeyError("R4.FooType")

    monkeypatch.setattr(judge_examples, "judge", crash)
    (tmp_path / "one.json").write_bytes(text(OUTCOME))
    assert judge_examples.main([str(tmp_path)]) == 1
    assert "KeyError" in capsys.readouterr().out
    assert judge_examples.main([]) == 1
