# SPDX-License-Identifier: MIT
"""Canonical JSON, base64 and base32: one spelling each."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.refs import ALPHABET
from notify_gateway.privacy.encoding import canonical_json, from_base64, parse_canonical, to_base64, to_crockford

json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=8), json_values))
def test_canonical_json_reads_back_and_is_ascii(value: dict[str, Any]) -> None:
    data = canonical_json(value)
    assert data.isascii()
    assert parse_canonical(data) == value


def test_the_order_of_fields_and_spaces_do_not_matter_to_the_digest() -> None:
    assert canonical_json({"b": [1, "é"], "a": None}) == b'{"a":null,"b":[1,"\\u00e9"]}'


@pytest.mark.parametrize("value", [1.0, {"a": [1.5]}, float("nan"), {"a": {"b": (0.1,)}}, {"a": b"x"}, {"a": object()}, {1.5}])
def test_floats_and_what_is_not_json_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"1", b'{"a":1 }', b'{"b":1,"a":1}', b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":NaN}', b"\xff", b"[" * 100000]
)
def test_a_second_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not canonical JSON$"):
        parse_canonical(data)


@given(st.binary())
def test_any_bytes_parse_exactly_or_raise_value_error(data: bytes) -> None:
    with suppress(ValueError):
        assert canonical_json(parse_canonical(data)) == data
        json.loads(data)


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    assert from_base64(to_base64(data)) == data


@pytest.mark.parametrize("text", ["A", "AA", "AAA", "AB==", "AAAA\n", " AAAA", "AA-_", "é", None, 1, b"AAAA"])
def test_a_second_spelling_of_base64_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"^not base64$"):
        from_base64(text)


@given(st.binary().filter(lambda data: len(data) % 5 == 0))
def test_crockford_is_the_number_in_base_thirty_two(data: bytes) -> None:
    value = 0
    for character in to_crockford(data):
        value = value * 32 + ALPHABET.index(character)
    assert value == int.from_bytes(data, "big")


def test_crockford_takes_whole_groups() -> None:
    with pytest.raises(ValueError, match="five"):
        to_crockford(b"abc")
