# SPDX-License-Identifier: MIT
"""A good message mangled at random is read or refused: no other exception, no value in the refusal, no impossible domain value."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import LegalBasis, Submission, Withdrawal
from notify_gateway.domain.section23 import judge
from notify_gateway.fhir.attachments import unpack
from notify_gateway.fhir.lifting import take_in
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.fhir.parsing import MAX_BYTES
from notify_gateway.fhir.structure import check_structure
from notify_gateway.privacy.cards import card_plaintext
from tests.support.messages import PDF, PNG, Message, a_message

Place = tuple[str | int, ...]

junk = st.one_of(
    st.sampled_from(
        [
            None, True, False, 0, 1, -1, 2.5, 10**17, "", " ", "x", "2026", "2026-01", "2026-01-14", "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+14:00", "2016-12-31T23:59:60Z", "completed", "stopped", "delete", "new", "#", "#x", "urn:uuid:", "Patient",
            "Condition", "http://snomed.info/sct", "9990548609", [], {}, [None], [[]], [{}], {"coding": []}, {"reference": "#"},
            {"extension": [{"url": "x"}]}, {"resourceType": "Patient"}, '{"text": "x"}', "\u0660", "\x00", "\ud800",
        ]
    ),
    st.text(max_size=6),
    st.integers(),
    st.dictionaries(st.sampled_from(["url", "code", "system", "value", "reference", "id", "text"]), st.text(max_size=4), max_size=3),
)  # fmt: skip


def places(value: Any, place: Place = ()) -> list[Place]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, child in children for found in places(child, (*place, key)))]


def whole() -> Message:
    """Return a message that carries all that one may."""
    message = a_message(0).attached(PDF + b"0" * 1_000).attached(PNG, "image/png").involving()
    return message.scored("fine-motor", 37.5).observed({"text": "Walks"}, valueQuantity={"value": 2.5, "unit": "m"})


PLACES = [place for place in places(whole().document()) if place]


def _parent(document: Any, place: Place) -> Any:
    for step in place[:-1]:
        document = document[step]
    return document


def _drop(document: Any, place: Place, other: Place, value: Any) -> None:
    del _parent(document, place)[place[-1]]


def _replace(document: Any, place: Place, other: Place, value: Any) -> None:
    _parent(document, place)[place[-1]] = value


def _duplicate(document: Any, place: Place, other: Place, value: Any) -> None:
    parent = _parent(document, place)
    if isinstance(parent, list):
        parent.append(parent[place[-1]])  # type: ignore[index]
    else:
        parent[place[-1]] = [parent[place[-1]]] * 2


def _swap(document: Any, place: Place, other: Place, value: Any) -> None:
    one, two = _parent(document, place), _parent(document, other)
    one[place[-1]], two[other[-1]] = json.loads(json.dumps([two[other[-1]], one[place[-1]]]))


def _add(document: Any, place: Place, other: Place, value: Any) -> None:
    target = _parent(document, (*place, 0))
    if isinstance(target, dict):
        target[str(other[-1])] = value


Mutations = list[tuple[Callable[[Any, Place, Place, Any], None], Place, Place, Any]]


def mutations(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Mutations]:
    """Draw what ``mangled`` may do to a message, ``values`` being what it puts there."""
    kinds = st.sampled_from([_drop, _replace, _duplicate, _swap, _add])
    return st.lists(st.tuples(kinds, st.sampled_from(PLACES), st.sampled_from(PLACES), values), min_size=1, max_size=4)


def mangled(changes: Mutations) -> dict[str, Any]:
    """Return the good message after ``changes``, as far as they can be made."""
    message = whole()
    for mutate, place, other, value in changes:
        # An earlier change may have taken the place away.
        with suppress(KeyError, IndexError, TypeError):
            mutate(message.data, place, other, value)
    return message.data


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(mutations(junk))
def test_a_mangled_message_is_read_or_refused(changes: Mutations) -> None:
    body = json.dumps(mangled(changes)).encode()
    try:
        taken = take_in(body, max_bytes=MAX_BYTES, max_message=MAX_BYTES)
        check_structure(taken.document)
        found = read_message(taken.document, taken.lifted)
        assert isinstance(found, Submission | Withdrawal)
        if isinstance(found, Submission):
            assert card_plaintext(found.card, PrivateBytes(body))
            assert len(unpack(body)) == len(found.card.reveal().get("attachments", []))
            judge(found, sender_basis=LegalBasis.SECTION_23, received_on=london_day(found.sent_at))
    except Refused as refusal:
        told = json.dumps(operation_outcome(refusal.issues))
        assert not [canary for canary in a_message(0).canaries if canary in told]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_message_with_bytes_flipped_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(whole().bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Refused):
        taken = take_in(bytes(body), max_bytes=MAX_BYTES, max_message=MAX_BYTES)
        check_structure(taken.document)
        read_message(taken.document, taken.lifted)
