# SPDX-License-Identifier: MIT
"""What the largest messages that may be taken cost: every shape that fills the limits, the long way, from bytes to the card and the search
of the view, in processor time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from notify_gateway.domain.errors import Refused
from notify_gateway.domain.model import Submission
from notify_gateway.fhir.lifting import take_in
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.parsing import MAX_BYTES, MAX_NODES
from notify_gateway.fhir.plain import links_if_plain
from notify_gateway.fhir.structure import check_structure
from notify_gateway.privacy.tripwire import TripwireHit, search
from tests.fhir.spoiling import INFORMED, PATIENT, put
from tests.privacy.builders import a_view
from tests.support.messages import Message, a_message


def filled(grow: Callable[[int], Message]) -> bytes:
    """Return the largest message that ``grow`` makes within the limits of bytes and nodes; each step adds about as much as the last."""
    few, some = (grow(count).bytes() for count in (10, 110))
    bytes_each, nodes_each = (len(some) - len(few)) / 100, (_nodes(json.loads(some)) - _nodes(json.loads(few))) / 100
    by_bytes = (MAX_BYTES - len(few)) / (bytes_each + 4)
    return grow(int(0.97 * min(by_bytes, (MAX_NODES - _nodes(json.loads(few))) / max(nodes_each, 1e-9)))).bytes()


def _nodes(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(1 + _nodes(child) for child in children)


def many(path: str, item: dict[str, Any]) -> Callable[[int], Message]:
    return lambda count: the_long_way().having(put(path, [item] * count))


def the_long_way() -> Message:
    """A good message with one thing in it that the quick judge leaves to the models."""
    return a_message(0).having(put(f"{PATIENT}._birthDate", {"id": "a"}))


def entries(resource: dict[str, Any]) -> Callable[[int], Message]:
    def grow(count: int) -> Message:
        message = the_long_way()
        message.data["entry"] += [
            {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012d}", "resource": resource} for number in range(count)
        ]
        return message

    return grow


def pointing_within(count: int) -> Message:
    """An act towards as many contained people as go in, none of whom is a carer."""
    people = [{"resourceType": "Patient", "id": f"p{number}"} for number in range(count)]
    message = the_long_way().having(put(f"{INFORMED}.contained", people))
    return message.having(put(f"{INFORMED}.recipient", [{"reference": f"#p{number}"} for number in reversed(range(count))]))


def deep(count: int) -> Message:
    extension: dict[str, Any] = {"url": "https://example.org/x", "valueString": "a"}
    for _ in range(12):
        extension = {"url": "https://example.org/x", "extension": [extension]}
    return the_long_way().having(put(f"{PATIENT}.extension", [extension] * count))


def marked_up(count: int) -> Message:
    div = '<div xmlns="http://www.w3.org/1999/xhtml">' + "<p>a</p>" * (count * 26) + "</div>"
    return the_long_way().having(put(f"{PATIENT}.text", {"status": "generated", "div": div}))


def wordy(count: int) -> Message:
    return the_long_way().for_child(given=" ".join(f"Ab{number:04x}c" for number in range(count * 5)))


def scored(count: int) -> Message:
    message = the_long_way()
    for _ in range(count):
        message.scored("communication", 40)
    return message


SHAPES: dict[str, Callable[[int], Message]] = {
    "names of one element": many(f"{PATIENT}.name", {"use": "old"}),
    "names of many parts": many(f"{PATIENT}.name", {"family": "Ab", "given": ["Cd"] * 12}),
    "telecoms": many(f"{PATIENT}.telecom", {"rank": 1}),
    "identifiers": many(f"{PATIENT}.identifier", {"system": "a", "value": "abc"}),
    "addresses": many(f"{PATIENT}.address", {"line": ["abc"] * 4, "postalCode": "TS18 1LD"}),
    "contacts": many(f"{PATIENT}.contact", {"name": {"text": "abc"}, "address": {"text": "abc"}}),
    "codings": many(f"{PATIENT}.communication", {"language": {"coding": [{"code": "a"}] * 3}}),
    "extensions": many(f"{PATIENT}.extension", {"url": "a", "valueCode": "b"}),
    "extensions of extensions": deep,
    "contained resources": many(f"{PATIENT}.contained", {"resourceType": "Organization"}),
    "references to contained resources": pointing_within,
    "entries": entries({"resourceType": "Organization", "name": "a"}),
    "acts": entries({"resourceType": "Communication", "status": "completed", "payload": [{"contentString": "abc"}]}),
    "opinions": entries({"resourceType": "Condition", "subject": {"display": "a"}}),
    "documents": entries({"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"data": "YQ=="}}]}),
    "requests": entries({"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"display": "a"}}),
    "scores": scored,
    "a long narrative": marked_up,
    "a long name": wordy,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_message_of_a_shape_stays_under_a_second(shape: str) -> None:
    body = filled(SHAPES[shape])
    assert len(body) > 0.8 * MAX_BYTES or _nodes(json.loads(body)) > 0.9 * MAX_NODES
    # What else runs on the machine may spoil one measurement, hardly two.
    assert _spent(body) < 1 or _spent(body) < 1


def _spent(body: bytes) -> float:
    view = a_view().content
    started = time.process_time()
    taken = take_in(body, max_bytes=MAX_BYTES, max_message=MAX_BYTES)
    assert links_if_plain(taken.document) is None
    check_structure(taken.document)
    with suppress(Refused, TripwireHit):
        message = read_message(taken.document, taken.lifted)
        assert isinstance(message, Submission)
        search(view, message.traces)
    return time.process_time() - started
