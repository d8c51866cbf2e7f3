# SPDX-License-Identifier: MIT
"""BaRS transactional integrity: the ids come back on every answer, and one request id is one acceptance, however often it comes."""

from __future__ import annotations

import socket
from collections import Counter
from uuid import uuid4

import httpx2
import pytest

from tests.support.messages import a_message
from tests.support.service import Acceptance, RunningService, in_parallel, issue_codes


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/_ping", 200),
        ("GET", "/static/site.css", 200),
        ("GET", "/errors/NG-4001", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/_ping", 405),
        ("POST", "/fhir/R4/$process-message", 415),
        ("GET", "/fhir/R4/Task/x", 401),
        ("GET", "/authority/v1/deliveries", 401),
    ],
)
def test_both_ids_come_back_whatever_is_answered(service: RunningService, method: str, path: str, status: int) -> None:
    ids = {"X-Request-ID": str(uuid4()).upper(), "X-Correlation-ID": str(uuid4())}
    answer = service.clients[0].request(method, path, headers=ids)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ids} == ids
    if status == 405:
        assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("sent", ["7", "", "c1ab3fba6bae4ba4b2575a87c44d4a91----", "{c1ab3fba-6bae-4ba4-b257-5a87c44d4a91}", "<script>"])
def test_what_is_no_uuid_does_not_come_back(service: RunningService, sent: str) -> None:
    answer = service.clients[0].get("/_ping", headers={"X-Request-ID": sent, "X-Correlation-ID": sent})
    assert "x-request-id" not in answer.headers
    assert "x-correlation-id" not in answer.headers


def test_a_request_that_is_still_being_worked_on_is_too_early_and_then_a_duplicate(service: RunningService) -> None:
    message, request_id = a_message(), str(uuid4())
    body = message.bytes()
    head = (
        "POST /fhir/R4/$process-message HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nExpect: 100-continue\r\n"
        f"Authorization: Bearer {service.trust_token}\r\nX-Request-ID: {request_id}\r\nX-Correlation-ID: {uuid4()}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as first:
        first.sendall(head.encode())
        assert first.recv(4096).startswith(b"HTTP/1.1 100 ")  # it has been let in, and its body is awaited
        early = service.post(body, request_id=request_id)
        assert (early.status_code, issue_codes(early)) == (425, ["NG-6005"])
        assert early.json()["issue"][0]["code"] == "duplicate"
        assert early.headers["retry-after"] == "1"
        Acceptance.of(service.post(a_message(), request_id=str(uuid4())))  # others are not concerned
        first.sendall(body)
        answer = first.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 202 ")
    again = service.post(body, request_id=request_id)
    assert (again.status_code, issue_codes(again)) == (409, ["NG-6001"])


def test_a_request_id_is_free_again_when_its_sender_went_away(service: RunningService) -> None:
    request_id = str(uuid4())
    head = (
        "POST /fhir/R4/$process-message HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nExpect: 100-continue\r\n"
        f"Authorization: Bearer {service.trust_token}\r\nX-Request-ID: {request_id}\r\nX-Correlation-ID: {uuid4()}\r\n"
        "Content-Length: 100\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as first:
        first.sendall(head.encode())
        assert first.recv(4096).startswith(b"HTTP/1.1 100 ")
    message = a_message()
    Acceptance.of(service.when(202, lambda: service.post(message, request_id=request_id)))


def test_one_request_id_fifty_times_at_once_is_accepted_once(service: RunningService) -> None:
    body, request_id = a_message().bytes(), str(uuid4())
    responses: list[httpx2.Response] = []

    def act(index: int) -> None:
        with httpx2.Client(base_url=f"http://127.0.0.1:{service.ports[index % len(service.ports)]}", timeout=30) as client:
            responses.append(service.post(body, request_id=request_id, client=client))

    before = service.row_counts()["messages"]
    in_parallel(50, act)
    counted = Counter(response.status_code for response in responses)
    assert counted[202] == 1
    assert set(counted) <= {202, 409, 425}
    assert {code for response in responses if response.status_code != 202 for code in issue_codes(response)} <= {"NG-6001", "NG-6005"}
    assert service.row_counts()["messages"] - before == 1
