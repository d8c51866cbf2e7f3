# SPDX-License-Identifier: MIT
"""A trust tries messages on the running service: the front door's judgement, whole, and not a trace of them afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from notify_gateway.api.verdict import DRY_RUN
from tests.cli.conftest import Result, call_outside
from tests.fhir.bad_messages import CASES, build
from tests.leaks import evidence
from tests.leaks.canaries import a_canary, search
from tests.support.messages import CONDITION, PATIENT, VIEWS, Message, a_message
from tests.support.service import PULL, Acceptance, RunningService, issue_codes
from tests.support.services import eventually

VALIDATE = "/fhir/R4/Bundle/$validate"


def tried(service: RunningService, message: Message | bytes, **options: Any) -> httpx2.Response:
    return service.post(message, path=VALIDATE, **options)


def told(response: httpx2.Response) -> dict[str, Any]:
    """The extension, by name; the layers as a list of theirs."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/fhir+json"
    outcome = response.json()
    OperationOutcome.model_validate(outcome)
    (extension,) = outcome["extension"]
    assert extension["url"] == DRY_RUN
    facts: dict[str, Any] = {"layers": []}
    for part in extension["extension"]:
        if part["url"] == "layer":
            facts["layers"].append(tuple(value for each in part["extension"] for name, value in each.items() if name != "url"))
        else:
            facts[part["url"]] = next(value for name, value in part.items() if name != "url")
    return facts


def counts(service: RunningService) -> tuple[dict[str, int], int]:
    """Row counts of all tables but those of the log, and how many events the log has or will have."""
    rows = service.row_counts()
    return {name: count for name, count in rows.items() if not name.startswith("audit_")}, rows["audit_leaf"] + rows["audit_pending"]


def lines(response: httpx2.Response) -> list[str]:
    return [issue["details"]["text"] for issue in response.json()["issue"] if "text" in issue["details"]]


def test_a_good_message_would_be_accepted_by_its_authority(service: RunningService) -> None:
    response = tried(service, a_message())
    facts = told(response)
    assert facts["verdict"] == "would-be-accepted"
    assert facts["layers"] == [(name, "passed", 0) for name in ("json", "fhir", "message", "law", "routing")]
    assert (facts["authority"], facts["authority-name"], facts["routed-by"]) == (PULL, "Stockton-on-Tees", "postcode")
    assert facts["postcodes-edition"] == "demonstration"
    assert lines(response) == [
        "JSON: passed",
        "FHIR: passed",
        "Message: passed",
        "Law: passed",
        f"Routing: would go to Stockton-on-Tees ({PULL}), by its home postcode",
        "Verdict: would be accepted",
    ]
    assert {issue["severity"] for issue in response.json()["issue"]} == {"information", "warning"}


def test_every_fault_of_every_layer_is_listed_with_its_place(service: RunningService) -> None:
    response = tried(service, a_message().without("parent-informed").needs("XXX").from_sender("RYY").for_child(postcode="CF10 3ND"))
    assert told(response)["verdict"] == "would-be-refused"
    assert lines(response)[2:] == ["Message: 2 faults", "Law: 1 fault", "Routing: 1 fault", "Verdict: would be refused, 4 faults"]
    errors = [issue for issue in response.json()["issue"] if issue["severity"] == "error"]
    assert [issue["details"]["coding"][1]["code"] for issue in errors] == ["NG-1106", "NG-3033", "NG-4001", "NG-5003"]
    assert all(issue["expression"] and issue["diagnostics"] for issue in errors)


def test_parameters_that_hold_the_bundle_get_the_answer_of_the_bundle(service: RunningService) -> None:
    for message in (a_message(), a_message().without("discussion-offered")):
        wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": message.document()}]}
        assert tried(service, json.dumps(wrapped).encode()).content == tried(service, message).content


@pytest.mark.parametrize("service", ["embedded"], indirect=True)
def test_a_bad_message_gets_the_codes_of_the_front_door(service: RunningService) -> None:
    for case in CASES[::40]:
        body = build(case)
        live = service.post(body)
        response = tried(service, body)
        if response.status_code == 413:  # such a body is never taken in
            assert issue_codes(response) == issue_codes(live) == ["NG-1001"]
        else:
            assert told(response)["verdict"] == "would-be-refused"
            assert set(issue_codes(live)) <= set(issue_codes(response)), case.name


def test_a_large_message_is_tried_too(service: RunningService) -> None:
    message = a_message()
    message.resource(VIEWS)["payload"] += [{"contentString": f"Line {n}: " + "words " * 40} for n in range(200)]
    assert told(tried(service, message))["verdict"] == "would-be-accepted"
    message.resource(PATIENT)["birthDate"] = "yesterday"
    response = tried(service, message)
    assert told(response)["layers"][1] == ("fhir", "faults", 1)
    assert "yesterday" not in response.text


def test_only_a_trust_may_try_and_only_in_fhir(service: RunningService) -> None:
    body = a_message().bytes()
    assert tried(service, body, headers={"Authorization": None}).status_code == 401
    assert tried(service, body, token=service.pull_token).status_code == 403
    assert tried(service, body, headers={"Content-Type": "text/plain"}).status_code == 415
    assert tried(service, body, headers={"Accept": "text/html"}).status_code == 406
    assert tried(service, b" " * (service.settings.max_body + 1)).status_code == 413


def test_request_ids_are_echoed_and_not_asked_for(service: RunningService) -> None:
    request_id = str(uuid4())
    assert tried(service, a_message(), request_id=request_id).headers["x-request-id"] == request_id
    none = {"X-Request-ID": None, "X-Correlation-ID": None}
    assert told(tried(service, a_message(), headers=none))["verdict"] == "would-be-accepted"


def test_the_answer_for_a_child_who_is_known_is_byte_for_byte_that_for_one_who_is_not(service: RunningService) -> None:
    """Known from the same trust and from another, under the same identifiers and under others."""
    known, unknown = a_message(91_001), a_message(91_002)
    Acceptance.of(service.post(known))
    Acceptance.of(service.post(a_message(91_001).from_sender("RYY"), token=service.other_trust_token))
    answers = {tried(service, message).content for message in (known, a_message(91_001), unknown)}
    assert len(answers) == 1


def test_trying_keeps_nothing_and_leaks_nothing(service: RunningService) -> None:
    bad = a_canary()
    bad.resource(PATIENT)["birthDate"] = "Vorpalstone"
    unlawful = a_canary().without("parent-informed")
    unlawful.resource(CONDITION)["code"]["coding"][0]["code"] = "Jubjubina"
    eventually(lambda: "queued" not in service.states(), within=20, what="what other tests have sent is delivered")
    before = counts(service)
    answers = [tried(service, message) for message in (a_canary(), bad, unlawful, a_canary().reason("delete"), a_canary().bytes()[:-9])]
    assert {response.status_code for response in answers} == {200}
    assert counts(service) == before
    found = [
        *evidence.of_answers(answers),
        *evidence.of_databases(service.gateway.engine, service.gateway.shred_engine),
        *evidence.of_folder(service.folder),
    ]
    assert search(found) == []
    assert '"event": "dry-run"' in service.output()


@pytest.mark.parametrize("service", ["embedded"], indirect=True)
def test_the_command_asks_the_running_service_for_whole_folders(service: RunningService, tmp_path: Path) -> None:
    good, bad, huge = (tmp_path / f"{name}.json" for name in ("good", "bad", "huge"))
    good.write_bytes(a_message().bytes())
    bad.write_bytes(a_message().without("parent-informed").for_child(postcode="CF10 3ND").bytes())

    def asked(token: str) -> Result:
        arguments = ("validate", tmp_path, "--url", service.base_url, "--json")
        return call_outside(*arguments, folder=tmp_path, environment={"NOTIFY_GATEWAY_TOKEN": token})

    ended = asked(service.trust_token)
    assert ended.status == 1, ended
    judged = {Path(each["file"]).stem: each for each in ended.json["results"]}
    assert [issue["code"] for issue in judged["bad"]["issues"] if issue["severity"] == "error"] == ["NG-4001", "NG-5003"]
    assert (judged["good"]["verdict"], judged["good"]["authority"]) == ("would-be-accepted", PULL)

    bad.unlink()
    huge.write_bytes(b" " * (service.settings.max_body + 1))
    ended = asked(service.trust_token)
    assert (ended.status, [issue["code"] for issue in ended.json["results"][1]["issues"]]) == (1, ["NG-1001"])
    ended = asked(service.pull_token)
    assert (ended.status, "403 (NG-1105)" in json.loads(ended.err)["errors"][0]["title"]) == (1, True)
