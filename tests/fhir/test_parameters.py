# SPDX-License-Identifier: MIT
"""The resource of FHIR Parameters is taken out byte for byte, and nothing that is not such is touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_gateway.fhir.parameters import resource_within
from tests.support.messages import a_message

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def wrapped(resource: bytes, before: str = "", after: str = "") -> bytes:
    return b'{"resourceType": "Parameters", "parameter": [%s{"name": "resource", "resource" : %s}%s]}' % (
        before.encode(),
        resource,
        after.encode(),
    )


@pytest.mark.parametrize("before", ["", '{"name": "mode", "valueCode": "create"}, '])
@pytest.mark.parametrize("after", ["", ', {"name": "profile", "valueUri": "https://example.org"}'])
def test_the_resource_of_parameters_is_taken_out_as_it_stands(before: str, after: str) -> None:
    body = json.dumps(a_message().data, indent=1, ensure_ascii=False).encode()
    assert resource_within(wrapped(body, before, after)) == body


def test_a_resource_that_another_parameter_holds_is_passed_over() -> None:
    body = a_message().bytes()
    part = '{"name": "context", "part": [{"name": "child", "resource": {"resourceType": "Patient", "contact": [{"resource": {}}]}}]}, '
    assert resource_within(wrapped(body, part)) == body


def test_what_is_wrong_with_the_resource_is_not_put_right_on_the_way() -> None:
    twice = b'{"resourceType":"Bundle","type":"message","type":"message","\\u0069d":1e999,"x":NaN}'
    assert resource_within(wrapped(twice)) == twice


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"resourceType": "Parameters"}',
        b'{"resourceType": "Parameters", "parameter": {"name": "resource"}}',
        b'{"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": 1}]}',
        b'{"resourceType": "Parameters", "parameter": [{"name": "resource", "\\u0072esource": {}}]}',
        wrapped(b"{}", after=', {"name": "resource", "resource": {}}'),
        wrapped(b"[" * 100_000),
        wrapped(b"{}", after="," + "[]," * 200_000),
        a_message().bytes(),
    ],
    ids=lambda body: body[:30],
)
def test_any_other_body_stays_what_it_is(body: bytes) -> None:
    assert resource_within(body) == body


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text(), values))
def test_any_object_comes_out_as_it_went_in(resource: dict[str, object]) -> None:
    body = json.dumps(resource).encode()
    assert resource_within(wrapped(body)) == body
