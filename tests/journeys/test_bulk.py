# SPDX-License-Identifier: MIT
"""A back-book at the front door: every line is answered as if it had come alone, whatever its neighbours are, and whatever breaks."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.receipts import verify_promise
from tests.support.messages import Message, a_message
from tests.support.service import RunningService, issue_codes
from tests.support.services import eventually

PATH = "/fhir/R4/$process-messages"
LONGEST = 5 * 1024 * 1024
Result = dict[str, Any]


def ids_and(token: str, **headers: str) -> dict[str, str]:
    wanted = {"Content-Type": "application/fhir+ndjson", "X-Request-ID": str(uuid4()), "X-Correlation-ID": str(uuid4())}
    return wanted | {"Authorization": f"Bearer {token}"} | headers


def post(service: RunningService, lines: Sequence[Message | bytes], headers: Mapping[str, str] | None = None) -> httpx2.Response:
    body = b"\n".join(line.bytes() if isinstance(line, Message) else line for line in lines)
    return service.clients[-1].post(PATH, content=body, headers=ids_and(service.trust_token) | dict(headers or {}))


def answered(response: httpx2.Response) -> tuple[list[Result], Result]:
    """Return the results of a whole answer, and its summary."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    *results, end = [json.loads(line) for line in response.text.splitlines()]
    return results, end["summary"]


def send(service: RunningService, *lines: Message | bytes) -> list[Result]:
    return answered(post(service, lines))[0]


@contextmanager
def on_the_wire(service: RunningService) -> Iterator[socket.socket]:
    """A connection on which the head of a call has been sent; the body follows in chunks."""
    head = "".join(f"{name}: {value}\r\n" for name, value in ids_and(service.trust_token).items())
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=20) as wire:
        wire.sendall(f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        yield wire


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


# Each line for itself


def test_every_line_is_answered_in_order_as_if_it_had_come_alone(service: RunningService) -> None:
    good, other = a_message(), a_message()
    lines = [
        good,
        b"no JSON",
        b"  \r",
        a_message().without("parent-informed"),
        good.bytes() + b"\r",
        b"x" * (LONGEST + 3),
        a_message().from_sender("RYY"),
        other,
    ]
    results, summary = answered(post(service, lines))
    assert [(r["line"], r["status"], r.get("code")) for r in results] == [
        (1, 202, None),
        (2, 400, "NG-2003"),
        (4, 422, "NG-4001"),
        (5, 409, "NG-6001"),
        (6, 413, "NG-1001"),
        (7, 403, "NG-1106"),
        (8, 202, None),
    ]
    assert summary == {"lines": 7, "accepted": 2, "duplicate": 1, "refused": 4, "unsettled": 0, "complete": True}
    first, law, again = results[0], results[2], results[3]
    assert service.task(first["location"].rsplit("/", 1)[1])["id"] in first["location"]
    assert first["reference"].startswith("SEN-")
    assert [issue["code"] for issue in law["issues"]] == ["NG-4001"]
    assert {name: again[name] for name in ("location", "reference", "promise", "request_id")} == {
        name: first[name] for name in ("location", "reference", "promise", "request_id")
    }


def test_no_result_holds_anything_of_a_child(service: RunningService) -> None:
    messages = [a_message(), a_message().without("parent-informed"), a_message().needs("nonsense")]
    text = post(service, messages).text
    assert [word for message in messages for word in message.canaries if word in text] == []


def test_the_promise_of_a_line_holds_for_its_entry_in_the_log(service: RunningService) -> None:
    (result,) = send(service, a_message())
    leaf, _ = service.receipt(result["location"].rsplit("/", 1)[1])
    key = Verifier.from_vkey(service.get("/log/keys").json()["promises"])
    assert verify_promise(result["promise"], leaf_hash(leaf), key).origin == service.settings.log_origin


def test_the_same_back_book_again_is_all_duplicates_with_the_same_references_and_promises(service: RunningService) -> None:
    messages = [a_message() for _ in range(12)]
    before = service.row_counts()["messages"]
    first, again = send(service, *messages), send(service, *reversed(messages))
    assert {r["status"] for r in first} == {202}
    assert {(r["status"], r["code"]) for r in again} == {(409, "NG-6001")}
    told = ("location", "reference", "authority", "promise", "request_id")
    assert [[r[name] for name in told] for r in reversed(again)] == [[r[name] for name in told] for r in first]
    assert service.row_counts()["messages"] == before + 12
    alone = service.post(messages[0])
    assert (alone.status_code, alone.headers["location"]) == (409, first[0]["location"])


def test_updates_and_withdrawals_find_what_stands_above_them(service: RunningService) -> None:
    story, late = a_message(), a_message()
    updated = story.followed_by("update")
    results = send(service, story, updated, updated.followed_by("delete"), late.followed_by("delete"), late)
    assert [(r["status"], r.get("code")) for r in results] == [
        (202, None),
        (202, None),
        (202, None),
        (404, "NG-6007"),
        (409, "NG-6008"),
    ]
    assert len({r["location"] for r in results[:3]}) == 1


# The call as a whole


def test_what_is_wrong_with_the_call_is_told_before_any_line_is_read(service: RunningService) -> None:
    for headers, status, code in (
        ({"Content-Type": "application/json"}, 415, "NG-1002"),
        ({"Content-Encoding": "gzip"}, 415, "NG-1004"),
        ({"Accept": "text/html"}, 406, "NG-1003"),
        ({"X-Request-ID": "1"}, 400, "NG-1006"),
        ({"Authorization": "Bearer nonsense"}, 401, "NG-1102"),
        ({"Authorization": f"Bearer {service.pull_token}"}, 403, "NG-1105"),
    ):
        response = post(service, [a_message()], headers)
        assert (response.status_code, issue_codes(response)) == (status, [code]), response.text


def test_an_empty_back_book_comes_to_a_summary_alone(service: RunningService) -> None:
    assert answered(post(service, []))[1]["complete"]
    assert answered(post(service, [b"", b"\r", b" "], {"Content-Type": "application/x-ndjson"})) == (
        [],
        {"lines": 0, "accepted": 0, "duplicate": 0, "refused": 0, "unsettled": 0, "complete": True},
    )


@pytest.mark.parametrize("service", ["embedded"], indirect=True)
def test_whoever_pauses_is_answered_before_the_call_has_ended(service: RunningService) -> None:
    with on_the_wire(service) as wire:
        wire.sendall(chunk(a_message().bytes() + b"\n" + b'{"half": '))
        response = HTTPResponse(wire)
        response.begin()
        assert json.loads(response.readline())["status"] == 202
        wire.sendall(chunk(b"a line}\n") + b"0\r\n\r\n")
        assert json.loads(response.readline())["code"] == "NG-2003"
        assert json.loads(response.readline())["summary"]["lines"] == 2


def test_a_call_that_breaks_off_keeps_what_was_accepted_and_its_repetition_doubles_nothing(service: RunningService) -> None:
    messages = [a_message() for _ in range(40)]
    before = service.row_counts()["messages"]
    with on_the_wire(service) as wire:
        wire.sendall(chunk(b"".join(message.bytes() + b"\n" for message in messages[:25]) + messages[25].bytes()[:300]))
        eventually(lambda: service.row_counts()["messages"] > before, what="the first lines accepted")
    results = send(service, *messages)
    assert [r["status"] for r in results[25:]] == [202] * 15
    assert {r["status"] for r in results} == {202, 409}
    assert all(r["promise"] and r["reference"] for r in results)
    assert len({r["location"] for r in results}) == 40
    assert service.row_counts()["messages"] == before + 40
