# SPDX-License-Identifier: MIT
"""Parsing: what is let through untouched, the limits, and the places that issues name."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.fhir.parsing import MAX_DEPTH, MAX_ISSUES, MAX_NODES, parse
from tests.support.messages import a_message


def refused(body: bytes) -> tuple[Issue, ...]:
    with pytest.raises(Refused) as refusal:
        parse(body)
    return refusal.value.issues


def test_a_good_message_comes_out_as_it_went_in() -> None:
    message = a_message().for_child(given="Zoë-Маша 子 🙂", line="1 Müller's\tYard\r\nNorth")
    assert parse(message.bytes()) == message.document()


def test_the_size_is_a_parameter() -> None:
    body = a_message().bytes()
    assert parse(body, max_bytes=len(body))
    with pytest.raises(Refused, match=Code.BODY_TOO_LARGE):
        parse(body, max_bytes=len(body) - 1)


def test_the_deepest_message_that_is_let_through_is_as_deep_as_it_says() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert parse(nested(MAX_DEPTH))
    assert refused(nested(MAX_DEPTH + 1))[0].code == Code.TOO_DEEP


def test_the_largest_message_that_is_let_through_has_as_many_nodes_as_it_says() -> None:
    assert parse(json.dumps({"a": [1] * (MAX_NODES - 1)}).encode())
    assert refused(json.dumps({"a": [1] * MAX_NODES}).encode()) == (Issue(Code.TOO_MANY_NODES),)


def test_all_issues_are_told_at_once_up_to_a_limit() -> None:
    assert len(refused(json.dumps({"entry": ["", {}, []]}).encode())) == 3
    issues = refused(json.dumps({"entry": [""] * 200}).encode())
    assert len(issues) == MAX_ISSUES + 1
    assert issues[-1].code == Code.TOO_MANY_ISSUES


def test_a_place_is_told_as_far_as_its_names_are_fhirs_own() -> None:
    body = b'{"entry":[{"resource":{"name":[{"Quillfeather":{"family":""}}]}}]}'
    assert refused(body) == (Issue(Code.EMPTY_VALUE, "Bundle.entry[0].resource.name[0]"),)
    assert refused(b'{"Quillfeather":""}') == (Issue(Code.EMPTY_VALUE, "Bundle"),)


def test_ordinary_numbers_are_let_through() -> None:
    document = {"a": [0, -1, 1.5, -1e-7, 123456789012345678, True, False]}
    assert parse(json.dumps(document).encode()) == document


@given(st.binary(max_size=400))
def test_any_bytes_give_an_object_or_a_refusal(body: bytes) -> None:
    with suppress(Refused):
        assert isinstance(parse(body), dict)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=6), values, max_size=5))
def test_any_json_object_comes_out_unchanged_or_is_refused(document: dict[str, object]) -> None:
    with suppress(Refused):
        assert parse(json.dumps(document).encode()) == document


@pytest.mark.parametrize("piece", [b"[", b'{"a":', b'"\\u0000",', b'{"a":1,"a":2},', b"[[]],", b"1e999,", b"\\", b"\xff", b"9" * 9])
def test_a_quarter_megabyte_of_anything_is_judged_in_well_under_a_second(piece: bytes) -> None:
    started = time.process_time()
    for opening, closing in ((b"", b""), (b'{"a":[', b"0]}"), (b'{"a":"', b'"}')):
        body = opening + piece * ((256 * 1024 - 20) // len(piece)) + closing
        with suppress(Refused):
            parse(body)
    assert time.process_time() - started < 1.5
