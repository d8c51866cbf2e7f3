# SPDX-License-Identifier: MIT
"""Parsing: what is let through untouched, the limits, and the places that issues name."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.fhir import parsing
from notify_gateway.fhir.parsing import MAX_DEPTH, MAX_ISSUES, MAX_NODES, parse
from tests.support.messages import EXAMPLE, a_message


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


gaps = st.sampled_from(["", "", " ", "\n", "\t", "\r\n", "\ufeff"])
texts = st.sampled_from(
    [
        "a", "b", "", " ", ":", "a:b", '\\":', ": ", "\\u003a", "\\u003A:", "\\\\u003a", "\\n", "\\u0000", "\\ud800", "\\ud83d\\ude42",
        "é", "\x7f", "\x85", "\ufffe", "\u00a0", "\\u00a0", "\u2028", "a\\tb", "\x01", "{}", "[]", "resourceType",
    ]
).map('"{}"'.format)  # fmt: skip
numbers = st.sampled_from(
    [
        "0", "-0", "1", "1.0", "1e5", "1e999", "-1", "99999999999999999", "123456789012345678", "-123456789012345678",
        "1234567890123456789", "18446744073709551616", "01", "+1", "NaN",
    ]
)  # fmt: skip


def _written(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(['"a"', '"b"', '"a"', '"\\u0061"', '":"', '"c:"', '"d"', '"e"', '"f"'])
    members = st.tuples(gaps, names, gaps, inner, gaps).map(lambda m: f"{m[0]}{m[1]}{m[2]}:{m[3]}{m[4]}")
    return st.lists(members, max_size=4).map(lambda found: f"{{{','.join(found)}}}") | st.lists(inner, max_size=3).map(
        lambda found: f"[{','.join(found)}]"
    )


sources = st.recursive(texts | texts | numbers | st.sampled_from(["true", "null"]), _written, max_leaves=12)


@settings(max_examples=1_000, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(['"a"', '"b"', '"c"', '"a:"', '"\\u0061"']), gaps, sources), max_size=4), gaps)
def test_the_quick_way_and_the_exact_way_say_the_same(members: list[tuple[str, str, str]], gap: str) -> None:
    body = f"{gap}{{{','.join(name + space + ':' + source for name, space, source in members)}}}".encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parsing, "_parse_ordinary", lambda body: None)
        exact = outcome(body)
    assert outcome(body) == exact


def outcome(body: bytes) -> object:
    """What ``parse`` says, with 1, 1.0 and true told apart."""
    try:
        return repr(parse(body))
    except Refused as refusal:
        return refusal.issues


@pytest.mark.parametrize(
    "body", [b'{"a":"b","a":"b"}', b'{"a" : "x:y", "b":":", "a" : "\\":"}', b'{"a":"\\u003a","a":"c"}', b'{"a":{"b":1,"b":2}}']
)
def test_a_name_given_twice_is_found_whatever_colons_there_are(body: bytes) -> None:
    assert [issue.code for issue in refused(body)] == [Code.DUPLICATE_KEY]


def test_the_good_message_needs_no_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(parsing, "_decode")
    assert parse(a_message().for_child(given="Zoë-Маша 子 🙂", line="a: b\nc").bytes())
    assert parse(EXAMPLE.read_bytes())
