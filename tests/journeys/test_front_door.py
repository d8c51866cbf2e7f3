# SPDX-License-Identifier: MIT
"""Who may come in, with what, and what becomes of a message that comes again."""

from __future__ import annotations

import gzip
import json
import socket
from collections import Counter
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import httpx2
import psutil
import pytest

from notify_gateway.privacy.opening import open_delivery
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.gateway import PARTIES_KNOWN_FOR
from tests.support.messages import Message, a_message
from tests.support.service import PULL, Acceptance, RunningService, in_parallel, issue_codes


def refused(response: httpx2.Response, status: int, *codes: str) -> None:
    """The answer has this status and exactly these codes, is FHIR, and says how to mend each."""
    assert (response.status_code, issue_codes(response)) == (status, list(codes)), response.text
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.json()["resourceType"] == "OperationOutcome"
    assert all(issue["severity"] in ("error", "fatal") and issue["diagnostics"] for issue in response.json()["issue"])


# Who


def test_without_a_token_or_with_one_that_is_not_ours_nobody_comes_in(service: RunningService) -> None:
    no_token = service.post(a_message(), headers={"Authorization": None})
    refused(no_token, 401, "NG-1101")
    assert no_token.headers["www-authenticate"].startswith("Bearer")
    refused(service.post(a_message(), headers={"Authorization": "Basic dTpw"}), 401, "NG-1101")
    refused(service.post(a_message(), headers={"Authorization": "Bearer"}), 401, "NG-1101")
    refused(service.post(a_message(), token="ng_trust_" + "x" * 43), 401, "NG-1102")
    refused(service.post(a_message(), token=service.trust_token[:-1]), 401, "NG-1102")


def test_an_expired_token_is_refused(service: RunningService) -> None:
    token = service.new_token("trust", "RXX", lasts=timedelta(microseconds=1))
    refused(service.post(a_message(), token=token), 401, "NG-1103")


def test_a_revoked_token_is_refused_by_every_gateway_within_seconds(service: RunningService) -> None:
    made = onboard.issue_token(service.gateway, kind="trust", code="RXX", lasts=None, actor="operator")
    for gateway in range(len(service.clients)):
        Acceptance.of(service.post(a_message(), token=made.text, gateway=gateway))
    onboard.revoke_token(service.gateway, token_id=made.id, actor="operator")
    seconds = PARTIES_KNOWN_FOR.total_seconds() + 1
    for gateway in range(len(service.clients)):
        response = service.when(401, partial(service.post, a_message(), token=made.text, gateway=gateway), within=seconds)
        refused(response, 401, "NG-1104")


def test_a_token_of_one_kind_does_not_do_for_the_other(service: RunningService) -> None:
    refused(service.post(a_message(), token=service.pull_token), 403, "NG-1105")
    assert service.authority("GET", "deliveries", token=service.trust_token).status_code == 403


def test_a_trust_cannot_send_in_anothers_name(service: RunningService) -> None:
    refused(service.post(a_message(), token=service.other_trust_token), 403, "NG-1106")
    Acceptance.of(service.post(a_message().from_sender("RYY"), token=service.other_trust_token))


def test_another_trust_finds_neither_task_nor_receipt(service: RunningService) -> None:
    task_id = Acceptance.of(service.post(a_message())).task_id
    unknown = service.get(f"/fhir/R4/Task/{uuid4()}", service.other_trust_token)
    for path in (f"/fhir/R4/Task/{task_id}", f"/fhir/R4/Task/{task_id}/$receipt"):
        response = service.get(path, service.other_trust_token)
        refused(response, 404, "NG-6012")
        assert response.content == unknown.content  # as if there were none
    refused(service.get("/fhir/R4/Task/not-a-uuid"), 404, "NG-6012")


def test_another_authority_finds_no_delivery_and_can_do_nothing_with_it(service: RunningService) -> None:
    delivery_id = service.offered(Acceptance.of(service.post(a_message())).reference)
    other = service.webhook_token
    assert service.authority("GET", "deliveries", token=other).json()["deliveries"] == []
    acts = (
        ("GET", f"deliveries/{delivery_id}", None),
        ("POST", f"deliveries/{delivery_id}/received", {"digest": "0" * 64}),
        ("POST", f"deliveries/{delivery_id}/acknowledge", None),
        ("GET", f"deliveries/{delivery_id}/receipts", None),
        ("GET", f"deliveries?after={delivery_id}", None),
    )
    for method, path, json_body in acts:
        response = service.authority(method, path, token=other, json=json_body)
        assert (response.status_code, response.json()["code"]) == (404, "NG-7003"), path
    service.collect(delivery_id)


# With what


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("X-Request-ID", None, "NG-1005"),
        ("X-Request-ID", "not-a-uuid", "NG-1006"),
        ("X-Request-ID", "{" + str(UUID(int=7)) + "}", "NG-1006"),
        ("X-Correlation-ID", None, "NG-1007"),
        ("X-Correlation-ID", "7", "NG-1008"),
    ],
)
def test_request_and_correlation_id_must_be_there_and_be_uuids(service: RunningService, header: str, value: str | None, code: str) -> None:
    response = service.post(a_message(), headers={header: value})
    refused(response, 400, code)
    assert header not in response.headers


def test_both_ids_are_asked_for_at_once(service: RunningService) -> None:
    refused(service.post(a_message(), headers={"X-Request-ID": None, "X-Correlation-ID": None}), 400, "NG-1005", "NG-1007")


@pytest.mark.parametrize("kind", [None, "application/json", "application/fhir+xml", "text/plain", "application/fhir+json; charset=latin-1"])
def test_only_fhir_json_in_utf8_is_read(service: RunningService, kind: str | None) -> None:
    refused(service.post(a_message(), headers={"Content-Type": kind}), 415, "NG-1002")


def test_a_charset_that_is_utf8_is_no_hindrance(service: RunningService) -> None:
    Acceptance.of(service.post(a_message(), headers={"Content-Type": 'Application/FHIR+JSON; charset="UTF-8"'}))


def test_whoever_cannot_take_json_is_told_so(service: RunningService) -> None:
    refused(service.post(a_message(), headers={"Accept": "application/fhir+xml"}), 406, "NG-1003")


def test_a_compressed_body_is_not_unpacked(service: RunningService) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    refused(service.post(bomb, headers={"Content-Encoding": "gzip"}), 415, "NG-1004")


def test_a_body_beyond_the_limit_is_refused_before_it_has_come_in(service: RunningService) -> None:
    most = service.settings.max_body
    refused(service.post(b" " * (most + 1)), 413, "NG-1001")
    request = (
        "POST /fhir/R4/$process-message HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n"
        f"Authorization: Bearer {service.trust_token}\r\nX-Request-ID: {uuid4()}\r\nX-Correlation-ID: {uuid4()}\r\n"
        f"Content-Length: {most + 1}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as connection:
        connection.sendall(request.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_large_message_is_checked_in_another_process_and_goes_the_same_way(service: RunningService) -> None:
    message = a_message()
    message.data["entry"][11]["resource"]["payload"] += [{"contentString": f"Line {n}: " + "words " * 40} for n in range(200)]
    body = message.bytes()
    assert 32 * 1024 < len(body) < 256 * 1024
    serving = psutil.Process(next(iter(service.processes.values())).pid)
    reference = Acceptance.of(service.post(body)).reference
    assert serving.children(recursive=True)
    opened = open_delivery(json.loads(service.collect(service.offered(reference))), service.keys[PULL][0], service.runtime.public.gateway)
    assert opened.original is not None
    assert opened.original.reveal() == body
    broken = message.having(lambda data: data["entry"][2]["resource"].update(birthDate="yesterday"))
    response = service.post(broken.having(lambda data: data["entry"][0]["resource"].update(id=str(uuid4()))))
    assert response.status_code in (400, 422)
    assert "yesterday" not in response.text


def test_pages_that_do_not_exist_and_wrong_methods_are_answered_without_what_was_asked(service: RunningService) -> None:
    for path in ("/fhir/R4/Patient?identifier=9990548609", "/fhir/R4/9990548609", "/nope/9990548609"):
        response = service.get(path)
        assert response.status_code == 404
        assert "9990548609" not in response.text + str(response.headers)
    assert service.get("/fhir/R4/$process-message").status_code in (404, 405)


# Again


def test_the_same_message_again_is_a_duplicate_with_the_first_place(service: RunningService) -> None:
    message = a_message()
    request_id = str(uuid4())
    first = service.post(message, request_id=request_id)
    for again in (service.post(message, request_id=request_id), service.post(message), service.post(message, gateway=1)):
        refused(again, 409, "NG-6001")
        assert again.headers["location"] == first.headers["location"]


def test_other_bytes_under_the_same_message_id_are_a_conflict_without_a_place(service: RunningService) -> None:
    message = a_message()
    Acceptance.of(service.post(message))
    response = service.post(message.bytes() + b" ")
    refused(response, 409, "NG-6002")
    assert "location" not in response.headers


def test_a_request_id_serves_one_message(service: RunningService) -> None:
    request_id = str(uuid4())
    Acceptance.of(service.post(a_message(), request_id=request_id))
    refused(service.post(a_message(), request_id=request_id), 409, "NG-6003")
    refused(service.post(a_message(), request_id=request_id, gateway=1), 409, "NG-6003")


def test_a_new_notification_under_a_known_identifier_is_told_to_be_an_update(service: RunningService) -> None:
    first = a_message()
    Acceptance.of(service.post(first))
    refused(service.post(a_message().identified(first.business_identifier)), 409, "NG-6004")


def test_another_trust_may_use_the_same_ids(service: RunningService) -> None:
    message, request_id = a_message(), str(uuid4())
    first = Acceptance.of(service.post(message, request_id=request_id))
    second = Acceptance.of(service.post(message.from_sender("RYY"), request_id=request_id, token=service.other_trust_token))
    assert first.task_id != second.task_id


def test_a_refused_message_may_be_corrected_and_sent_again_under_its_ids(service: RunningService) -> None:
    message, request_id = a_message(), str(uuid4())
    good = message.bytes()
    spoilt = message.without("parent-informed").bytes()
    for _ in range(2):
        response = service.post(spoilt, request_id=request_id)
        refused(response, 422, "NG-4001")
    Acceptance.of(service.post(good, request_id=request_id))


def test_the_same_message_fifty_times_at_once_is_accepted_once_and_delivered_once(service: RunningService) -> None:
    message = a_message()
    body, before = message.bytes(), service.row_counts()
    responses: list[httpx2.Response] = []

    def act(index: int) -> None:
        with httpx2.Client(base_url=f"http://127.0.0.1:{service.ports[index % len(service.ports)]}", timeout=30) as client:
            responses.append(service.post(body, client=client))

    in_parallel(50, act)
    assert Counter(response.status_code for response in responses) == {202: 1, 409: 49}
    assert {code for response in responses if response.status_code == 409 for code in issue_codes(response)} == {"NG-6001"}
    assert len({response.headers["location"] for response in responses}) == 1
    after = service.row_counts()
    by_itself = ("audit_", "invariant_findings", "periodic_work")  # what runs on a schedule may run now
    grown = {name: after[name] - before[name] for name in after if not name.startswith(by_itself) and after[name] != before[name]}
    one_each = {"notifications": 1, "messages": 1, "envelopes": 2, "ages": 1, "deliveries": 1, "shred_keys": 1}
    assert grown == one_each | ({"thread_keys": 1} if "thread_keys" in grown else {})
    accepted = next(response for response in responses if response.status_code == 202)
    delivery_id = service.offered(Acceptance.of(accepted).reference)
    service.collect(delivery_id)
    assert not [item for item in service.waiting() if item["reference"] == Acceptance.of(accepted).reference]


def test_fifty_different_messages_about_one_child_at_once_are_all_accepted_and_joined(service: RunningService) -> None:
    messages: list[Message] = [a_message(314_159) for _ in range(50)]
    references: list[str] = []

    def act(index: int) -> None:
        references.append(Acceptance.of(service.post(messages[index], gateway=index)).reference)

    before = service.row_counts()
    in_parallel(50, act)
    after = service.row_counts()
    assert after["messages"] - before["messages"] == len(set(references)) == 50
    assert after["thread_keys"] - before["thread_keys"] <= 1
