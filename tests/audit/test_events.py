# SPDX-License-Identifier: MIT
"""The vocabulary: every row of the table, and what may not be said."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import Event, EventInvalid, Value, micros, read_leaf
from audit.vocabulary import VOCABULARY, EventType, Klass

AT = datetime(2026, 9, 1, 9, 30, 0, 5, tzinfo=UTC)
SALT = bytes(range(16))
ROWS = pytest.mark.parametrize("row", VOCABULARY.values(), ids=VOCABULARY)


def fullest(row: EventType) -> Event:
    return Event(row.tag, AT, "client:RVW", "subject-1", {name: f"{name}-1" for name in (*row.fields, *row.optional)})


def viewed(**changed: object) -> Event:
    return Event(**{"tag": "task:viewed", "at": AT, "actor": "client:RVW", "subject": "subject-1", **changed})  # type: ignore[arg-type]


@ROWS
def test_a_tag_is_a_subject_and_what_happened_to_it(row: EventType) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*", row.tag)
    assert row.klass in (Klass.STATUS, Klass.DISCLOSE, Klass.CHANGE)


@ROWS
def test_fields_are_named_once_and_in_order(row: EventType) -> None:
    for names in (row.fields, row.optional):
        assert list(names) == sorted(set(names))
    assert not {"actor", "subject"} & {*row.fields, *row.optional}
    assert not set(row.fields) & set(row.optional)


@ROWS
def test_the_sentence_tells_who_and_what_and_all_that_must_be_given(row: EventType) -> None:
    sentence = fullest(row).sentence()
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert "client:RVW" in sentence
    assert "subject-1" in sentence
    assert all(f"{name}-1" in sentence for name in row.fields)
    assert not any(f"{name}-1" in sentence for name in row.optional)


@ROWS
def test_the_leaf_is_read_back_as_the_event(row: EventType) -> None:
    event = fullest(row)
    assert read_leaf(event.to_leaf(SALT)) == event


@ROWS
def test_an_event_without_what_must_be_given_is_refused(row: EventType) -> None:
    whole = dict(fullest(row).fields)
    for name in row.fields:
        with pytest.raises(EventInvalid, match=name):
            Event(row.tag, AT, "a", "s", {key: value for key, value in whole.items() if key != name})


@ROWS
def test_a_field_that_is_not_in_the_table_is_refused(row: EventType) -> None:
    with pytest.raises(EventInvalid, match="not in the vocabulary"):
        Event(row.tag, AT, "a", "s", {**fullest(row).fields, "nhs_number": "9990000018"})


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(EventInvalid, match="no event type"):
        viewed(tag="child:named")


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(EventInvalid, match="time zone"):
        viewed(at=AT.replace(tzinfo=None))


@pytest.mark.parametrize("value", ["", " ", "two words", "Zoë", "line\n", "x" * 201, "-dash", True, 1.5, None, b"x", 2**53])
def test_what_is_neither_id_nor_code_nor_number_is_refused_and_not_repeated(value: object) -> None:
    for changed in ({"actor": value}, {"subject": value}, {"fields": {"organisation": value}}):
        with pytest.raises(EventInvalid) as refused:
            viewed(**changed)
        assert repr(value) not in str(refused.value)


def test_the_canonical_form_is_fixed() -> None:
    event = Event("access:denied", AT, "unknown", "token", {"count": 3, "code": "NG-401"})
    assert event.to_leaf(SALT) == (
        b'{"actor":"unknown","at":"2026-09-01T09:30:00.000005Z","event":"access:denied","fields":{"code":"NG-401","count":3},'
        b'"salt":"000102030405060708090a0b0c0d0e0f","subject":"token","v":1}'
    )


def test_the_leaf_tells_the_instant_in_utc() -> None:
    summer = AT.astimezone(timezone(timedelta(hours=1)))
    assert viewed(at=summer).to_leaf(SALT) == viewed().to_leaf(SALT)


def test_two_salts_make_two_leaves() -> None:
    assert viewed().to_leaf(SALT) != viewed().to_leaf(bytes(16))
    with pytest.raises(ValueError, match="16 bytes"):
        viewed().to_leaf(b"short")


def test_an_event_does_not_change_with_the_mapping_it_was_made_of() -> None:
    fields: dict[str, Value] = {"organisation": "RVW"}
    event = viewed(fields=fields)
    fields["organisation"] = "other"
    assert event.fields["organisation"] == "RVW"


def test_microseconds_are_exact() -> None:
    assert micros(AT) == 1788255000000005


@given(st.one_of(st.binary(), st.text().map(str.encode), st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode)))
def test_any_bytes_are_a_leaf_or_refused(data: bytes) -> None:
    with pytest.raises(EventInvalid):
        read_leaf(data)


@given(
    st.sampled_from(["actor", "at", "event", "fields", "salt", "subject", "v"]),
    st.none() | st.integers() | st.text() | st.lists(st.text()),
)
def test_a_leaf_with_a_changed_part_is_refused_or_another_event(part: str, value: object) -> None:
    leaf = viewed().to_leaf(SALT)
    changed = json.dumps({**json.loads(leaf), part: value}, sort_keys=True, separators=(",", ":")).encode()
    if changed != leaf:
        with suppress(EventInvalid):
            assert part == "salt" or read_leaf(changed) != viewed()
