# SPDX-License-Identifier: MIT
"""The conformance kit by itself: its cases as a table, what it plays against, and what it says of answers that are wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from notify_gateway.cli.conformance.answers import codes_of, faults_of
from notify_gateway.cli.conformance.case import Bulk, Message, Post
from notify_gateway.cli.conformance.cases.law import ROWS, Row
from notify_gateway.cli.conformance.collection import all_cases
from notify_gateway.cli.conformance.lines import lines_of
from notify_gateway.cli.examples.children import Sender
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.domain.catalogue import Code, entry
from tests.cli.conftest import Call
from tests.domain.test_school_age import WORKED_TABLE

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CASES = all_cases(Sender(NOW), "E06000053", with_key=True)


def test_there_are_many_cases_and_each_is_named_once_with_its_source() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 200
    assert all(case.source and case.steps for case in CASES)


def test_the_statuses_are_those_of_the_catalogue() -> None:
    steps = [step for case in CASES for step in case.steps if isinstance(step, Post) and step.code]
    assert [step for step in steps if step.code and step.status != entry(step.code).status] == []
    assert len({step.code for step in steps}) > 100


def test_every_row_of_the_worked_table_of_school_age_is_played() -> None:
    told = {Row((born.month, born.day), (begins.month, begins.day)) for born, _, begins, _ in WORKED_TABLE}
    assert set(ROWS) == told
    assert len(ROWS) == len(WORKED_TABLE)


@pytest.mark.parametrize("days", range(0, 1500, 50))
def test_the_rows_lie_in_the_past_whenever_the_kit_is_played(days: int) -> None:
    draft = Draft(NOW + timedelta(days=days))
    for row in ROWS:
        born = row.born_on(draft)
        assert (born.month, born.day) == row.born
        assert born + timedelta(days=5 * 365) < row.begins_on(born) < draft.sent_on
        assert row.begins_on(born) > date(draft.sent_on.year - 6, 1, 1)


def test_cases_are_listed_and_chosen_by_the_beginnings_of_their_names(call: Call) -> None:
    listed = call("conformance", "run", "https://gateway.example", "--list", "--only", "school age", "--only", "proof", "--json")
    assert listed.status == 0, listed.err
    assert {case["name"].partition("/")[0] for case in listed.json} == {"school age", "proof"}
    assert len(listed.json) == 2 * len(ROWS) + 2
    wrong = call("conformance", "run", "https://gateway.example", "--list", "--only", "nonsense")
    assert wrong.status == 1
    assert "no such case" in wrong.words


class Pretender(BaseHTTPRequestHandler):
    """Answers ``/_status`` as it was told to, and remembers what it was asked."""

    status: dict[str, str]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps(self.status).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def pretender() -> Iterator[tuple[str, type[Pretender]]]:
    handler = type("OnePretender", (Pretender,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"status": "pass", "deployment": "live"}, "It is live"),
        ({"status": "pass"}, "does not say that it is for tests"),
        ({"status": "pass", "deployment": "TEST"}, "does not say that it is for tests"),
        ({"status": "fail", "deployment": "test"}, "is not well"),
        ({"status": "fail", "deployment": "demonstration"}, "is not well"),
    ],
)
def test_it_plays_only_against_a_test_deployment_that_is_well(
    status: dict[str, str], words: str, call: Call, folder: Path, pretender: tuple[str, type[Pretender]]
) -> None:
    url, handler = pretender
    handler.status = status
    (folder / "token").write_text("ng_trust_x")
    result = call("conformance", "run", url, "--token-file", "token")
    assert result.status == 1
    assert words in result.words
    assert handler.asked == ["/_status"]
    assert result.out == ""


def test_an_address_without_a_service_is_told(call: Call, folder: Path) -> None:
    (folder / "token").write_text("ng_trust_x")
    result = call("conformance", "run", "http://127.0.0.1:1", "--token-file", "token")
    assert result.status == 1
    assert "no service at that address" in result.words


@pytest.mark.parametrize("deployment", ["test", "demonstration"])
def test_it_must_be_clear_who_sends(deployment: str, call: Call, pretender: tuple[str, type[Pretender]]) -> None:
    url, handler = pretender
    handler.status = {"status": "pass", "deployment": deployment}
    assert "not clear who sends" in call("conformance", "run", url).words


# What is wrong with an answer

REQUEST_ID = "7c1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11"


def answer(status: int, content: object, *, path: str = "/fhir/R4/x", **headers: str) -> httpx2.Response:
    request = httpx2.Request("POST", f"https://gateway.example{path}")
    kind = {"content-type": "application/fhir+json"}
    return httpx2.Response(status, json=content, headers=kind | {k.replace("_", "-"): v for k, v in headers.items()}, request=request)


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [{"code": "REC"}, {"code": "NG-4001"}]}}]}
SENT = {"X-Request-ID": REQUEST_ID, "X-Correlation-ID": "not a uuid"}


def test_a_good_answer_has_no_fault() -> None:
    good = answer(422, OUTCOME, x_request_id=REQUEST_ID)
    assert faults_of(good, SENT, Draft(NOW).document) == []
    assert codes_of(good) == [Code.PARENT_NOT_INFORMED]
    problem = answer(404, {"code": "NG-1010"}, path="/log/x", content_type="application/problem+json")
    assert faults_of(problem, {}, {}) == []
    assert codes_of(problem) == [Code.NO_SUCH_PAGE]


def test_an_answer_without_ids_form_or_discretion_is_faulty() -> None:
    draft = Draft(NOW).child(family="Quillfeather")
    assert faults_of(answer(422, OUTCOME), SENT, draft.document) == ["X-Request-ID is not echoed"]
    assert faults_of(answer(422, {"detail": "x"}), {}, {}) == ["an error is no OperationOutcome"]
    assert faults_of(answer(200, {}, content_type="application/json"), {}, {}) == ["the content type is application/json"]
    for trace in ("QUILLFEATHER", draft.at["patient"]["identifier"][0]["value"], draft.at["patient"]["birthDate"]):
        quoting = {**OUTCOME, "issue": [{"diagnostics": f"not {trace}"}]}
        assert faults_of(answer(422, quoting), {}, draft.document) == ["the answer quotes the message"]


KEPT = {"location": "https://gateway.example/fhir/R4/Task/1", "reference": "SEN-1", "authority": "E06000004", "promise": "p"}
TWO_LINES = Bulk((Post(202), b"", Post(422, Code.PARENT_NOT_INFORMED)))
RESULTS: list[dict[str, object]] = [
    {"line": 1, "status": 202, **KEPT},
    {"line": 3, "status": 422, "code": "NG-4001", "issues": [{"code": "NG-4001"}]},
    {"summary": {"lines": 2, "accepted": 1, "duplicate": 0, "refused": 1, "unsettled": 0, "complete": True}},
]


def in_lines(*results: object) -> httpx2.Response:
    content = "".join(json.dumps(each) + "\n" for each in results)
    request = httpx2.Request("POST", "https://gateway.example/fhir/R4/$process-messages")
    return httpx2.Response(200, content=content, headers={"content-type": "application/x-ndjson"}, request=request)


def test_lines_that_are_answered_as_they_must_be_are_right() -> None:
    told, faults, kept = lines_of(in_lines(*RESULTS), TWO_LINES)
    assert (told, faults, kept) == ("lines: 202, 422 NG-4001", [], RESULTS[0])
    assert faults_of(in_lines(*RESULTS), {}, {}) == []


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        (RESULTS[:2], "does not end with a summary"),
        ([RESULTS[0], RESULTS[2]], "1 results for 2 lines"),
        ([RESULTS[1], RESULTS[0], RESULTS[2]], "the result of line 1 is of line 3"),
        ([RESULTS[0], RESULTS[1] | {"line": 2}, RESULTS[2]], "the result of line 3 is of line 2"),
        ([RESULTS[0], RESULTS[1] | {"status": 400}, RESULTS[2]], "line 3: the status is 400, not 422"),
        ([RESULTS[0], RESULTS[1] | {"issues": []}, RESULTS[2]], "NG-4001 is not named"),
        ([RESULTS[0] | {"promise": None}, *RESULTS[1:]], "line 1: it is kept, and not all of"),
        ([*RESULTS[:2], {"summary": {"lines": 2, "complete": False}}], "the summary is"),
        ([[]], "does not end with a summary"),
    ],
)
def test_lines_that_are_answered_otherwise_are_told(results: list[dict[str, object]], fault: str) -> None:
    _, faults, kept = lines_of(in_lines(*results), TWO_LINES)
    assert fault in "; ".join(faults)
    assert kept is None


def test_the_good_line_may_be_a_duplicate_and_must_say_of_what() -> None:
    again = Bulk((Post(409, Code.DUPLICATE, message=Message.SAME),))
    summary = {"summary": {"lines": 1, "accepted": 0, "duplicate": 1, "refused": 0, "unsettled": 0, "complete": True}}
    bare = {"line": 1, "status": 409, "code": "NG-6001", "issues": [{"code": "NG-6001"}]}
    assert lines_of(in_lines(bare | KEPT, summary), again)[1] == []
    assert "not all of" in lines_of(in_lines(bare, summary), again)[1][0]
