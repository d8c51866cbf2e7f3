# SPDX-License-Identifier: MIT
"""What a request meets before anything of it is judged: time, size, a sender that goes away, a fault that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from notify_gateway.api import http
from notify_gateway.api.http import (
    FHIR_JSON,
    Envelope,
    error_response,
    header,
    read_body,
    request_ids,
    require_acceptable,
    require_content_type,
    require_uncompressed,
)
from notify_gateway.api.limits import Limits
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.settings import Settings

REQUEST_ID = (b"x-request-id", b"c1ab3fba-6bae-4ba4-b257-5a87c44d4a91")


def scope(path: str = "/fhir/R4/$process-message", *headers: tuple[bytes, bytes]) -> Scope:
    return {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": list(headers), "client": ("192.0.2.1", 1)}


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("nothing comes")


def test_a_body_that_does_not_come_in_time_ends_with_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_WITHIN", 0.01)
    with pytest.raises(Refused) as refusal:
        asyncio.run(read_body(Request(scope(), never), 100))
    answer = error_response(Request(scope()), refusal.value)
    assert answer.status_code == 408
    assert json.loads(bytes(answer.body))["issue"][0]["code"] == "timeout"


def test_a_sender_that_goes_away_is_no_fault_of_ours() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(Refused) as refusal:
        asyncio.run(read_body(Request(scope(), gone), 100))
    assert refusal.value.issues[0].code == Code.TIMEOUT


def answered(envelope: Envelope, asked: Scope) -> tuple[int, dict[str, str], Any]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(envelope(asked, never, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(sent[1]["body"])


def test_a_fault_that_nobody_foresaw_is_a_fixed_500_that_quotes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("Quillfeather")

    status, headers, body = answered(Envelope(broken, Limits(Settings())), scope("/fhir/R4/x", REQUEST_ID))
    assert (status, body["issue"][0]["code"]) == (500, "exception")
    assert headers["x-request-id"] == REQUEST_ID[1].decode()
    captured = capsys.readouterr()
    assert "Quillfeather" not in str(body) + captured.out + captured.err


def test_an_address_that_shows_no_token_has_a_rate_and_is_told_when_to_come_again() -> None:
    async def fine(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    envelope = Envelope(fine, Limits(Settings(address_rate=0.5, address_burst=2), clock=lambda: 0.0))
    assert [answered(envelope, scope("/_ping"))[0] for _ in range(2)] == [200, 200]
    status, headers, body = answered(envelope, scope("/_ping", REQUEST_ID))
    assert (status, body["code"], headers["retry-after"]) == (429, "NG-1108", "2")
    assert headers["x-request-id"] == REQUEST_ID[1].decode()
    assert answered(envelope, scope("/_ping", (b"authorization", b"Bearer x")))[0] == 200


def test_what_is_counted_for_a_request_is_given_back_even_when_it_fails() -> None:
    limits = Limits(Settings(client_requests=1))

    async def broken(asked: Scope, _receive: Receive, _send: Send) -> None:
        limits.arrive(asked, UUID(int=1))
        raise RuntimeError

    envelope = Envelope(broken, limits)
    assert [answered(envelope, scope())[0] for _ in range(3)] == [500, 500, 500]


def request(*headers: tuple[bytes, bytes], query: bytes = b"") -> Request:
    return Request(scope("/fhir/R4/x", *headers) | {"query_string": query})


OTHER_ID = (b"x-request-id", b"0b8c9f4e-3f0a-4d0e-8c57-6d2b7f1a9e10")
CORRELATION_ID = (b"x-correlation-id", b"5b7c1f5e-0c1f-4a77-9d7e-2f4f7f3b0c11")


def test_two_ids_of_one_request_are_none_and_are_not_echoed() -> None:
    with pytest.raises(Refused) as refusal:
        request_ids(request(REQUEST_ID, OTHER_ID, CORRELATION_ID))
    assert [issue.code for issue in refusal.value.issues] == [Code.REQUEST_ID_INVALID]

    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError

    asked = scope("/fhir/R4/x", REQUEST_ID, OTHER_ID, CORRELATION_ID)
    _, headers, _ = answered(Envelope(broken, Limits(Settings())), asked)
    assert "x-request-id" not in headers
    assert headers["x-correlation-id"] == CORRELATION_ID[1].decode()


@pytest.mark.parametrize("other", [b"text/plain", FHIR_JSON.encode()])
def test_of_two_content_types_none_is_chosen(other: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        require_content_type(request((b"content-type", FHIR_JSON.encode()), (b"content-type", other)), FHIR_JSON)
    assert refusal.value.issues[0].code == Code.CONTENT_TYPE


def test_an_encoding_is_seen_in_whichever_line_it_stands() -> None:
    require_uncompressed(request((b"content-encoding", b"Identity")))
    with pytest.raises(Refused) as refusal:
        require_uncompressed(request((b"content-encoding", b"identity"), (b"content-encoding", b"gzip")))
    assert refusal.value.issues[0].code == Code.CONTENT_ENCODING


def test_two_tokens_are_one_that_nobody_has() -> None:
    asked = request((b"authorization", b"Bearer a"), (b"authorization", b"Bearer b"))
    assert header(asked, "authorization") == "Bearer a, Bearer b"


@pytest.mark.parametrize("version", ["4.0", "4.0.1", '"4.0"'])
def test_a_body_may_name_the_version_of_fhir(version: str) -> None:
    require_content_type(request((b"content-type", f"{FHIR_JSON}; fhirVersion={version}; charset=UTF-8".encode())), FHIR_JSON)


@pytest.mark.parametrize("parameters", ["fhirVersion=5.0", "charset=utf-16", "fhirVersion=4.0; charset=latin-1"])
def test_a_body_of_another_version_or_character_set_is_not_read(parameters: str) -> None:
    with pytest.raises(Refused):
        require_content_type(request((b"content-type", f"{FHIR_JSON};{parameters}".encode())), FHIR_JSON)


ACCEPTED = [
    ((), b""),
    (((b"accept", b"text/html"), (b"accept", b"application/fhir+json")), b""),
    (((b"accept", b"application/fhir+xml;q=0.9, */*;q=0.1"),), b""),
    (((b"accept", b"text/html"),), b"_format=json"),
    ((), b"_format=application/fhir%2Bjson&_format=application/fhir+json"),
]
NOT_ACCEPTED = [
    (((b"accept", b"application/fhir+json;q=0"),), b""),
    (((b"accept", b"application/json; q=0.00, text/html"),), b""),
    (((b"accept", b"application/fhir+json"),), b"_format=xml"),
    ((), b"_format="),
    ((), b"_format=json&_format=xml"),
]


@pytest.mark.parametrize(("headers", "query"), ACCEPTED)
def test_whoever_can_take_json_gets_it(headers: tuple[tuple[bytes, bytes], ...], query: bytes) -> None:
    require_acceptable(request(*headers, query=query), FHIR_JSON)


@pytest.mark.parametrize(("headers", "query"), NOT_ACCEPTED)
def test_whoever_cannot_take_json_does_not(headers: tuple[tuple[bytes, bytes], ...], query: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        require_acceptable(request(*headers, query=query), FHIR_JSON)
    assert refusal.value.issues[0].code == Code.NOT_ACCEPTABLE
