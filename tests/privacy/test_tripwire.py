# SPDX-License-Identifier: MIT
"""The tripwire: finds the child in a view that should not hold it, and lets lawful coincidences pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.model import Traces
from notify_gateway.privacy.tripwire import Kind, TripwireHit, search
from tests.privacy.builders import CANARIES, a_need, a_view, some_pseudonyms


def hit(view: Any, *traces: str) -> tuple[str, Kind]:
    content = view if isinstance(view, bytes) else json.dumps(view).encode()
    with pytest.raises(TripwireHit) as caught:
        search(content, Traces(frozenset(traces)))
    return caught.value.path, caught.value.kind


def test_a_lawful_view_passes() -> None:
    search(a_view().content, Traces(CANARIES))


@pytest.mark.parametrize("canary", sorted(CANARIES))
@pytest.mark.parametrize(
    "spelling", [str, str.upper, str.casefold, lambda text: text.replace(" ", ""), lambda text: f"about {text}, again"]
)
def test_each_identifier_is_found_in_a_field_that_nobody_foresaw(canary: str, spelling: Any) -> None:
    path, _ = hit({**a_view().fields, "note": spelling(canary)}, *CANARIES)
    assert path == "view.?"


@pytest.mark.parametrize("field", ["sent_on", "term_cohort", "parent_view", "sender", "child", "reference"])
def test_an_identifier_in_a_published_field_is_found(field: str) -> None:
    assert hit({**a_view().fields, field: "Zephyrine"}, *CANARIES) == (f"view.{field}", Kind.OWN_IDENTIFIER)


def test_an_identifier_as_the_name_of_a_field_is_found_and_not_repeated() -> None:
    assert hit({**a_view().fields, "Zephyrine": 1}, *CANARIES) == ("view.?", Kind.OWN_IDENTIFIER)


def test_an_identifier_deep_inside_is_found() -> None:
    needs = [a_need().document() | {"remark": {"by": ["x", {"y": "for Zephyrine"}]}}]
    assert hit({**a_view().fields, "needs": needs}, *CANARIES)[1] is Kind.OWN_IDENTIFIER


def test_a_number_is_searched_as_well() -> None:
    assert hit({**a_view().fields, "version": 9990548609}, "999 054 8609")[0] == "view.version"


def test_an_identifier_that_has_the_shape_of_a_code_is_found() -> None:
    assert hit({**a_view().fields, "sender": "QUILLS"}, "Quills") == ("view.sender", Kind.OWN_IDENTIFIER)
    hidden = "p1.9990548609" + "A" * 23
    assert hit({**a_view().fields, "child": hidden}, "9990548609") == ("view.child", Kind.OWN_IDENTIFIER)


def test_accents_do_not_hide_a_name() -> None:
    assert hit({**a_view().fields, "note": "Zoe Lodz"}, "Zoë Lódz")[1] is Kind.OWN_IDENTIFIER


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("see 9990548609", Kind.NHS_NUMBER),
        ("see 999 054 8609", Kind.NHS_NUMBER),
        ("999-054-8609", Kind.NHS_NUMBER),
        ("lives at TS18 1LD", Kind.POSTCODE),
        ("m11aa", Kind.POSTCODE),
        ("write to a@b.example", Kind.EMAIL),
        ("ring 01632 960123", Kind.PHONE),
        ("ring +44 (0)7700 900456", Kind.PHONE),
    ],
)
def test_the_shapes_of_identifiers_are_found_even_if_not_this_childs(text: str, kind: Kind) -> None:
    assert hit({**a_view().fields, "note": text}) == ("view.?", kind)


@pytest.mark.parametrize("text", ["1234567890", "99905486091", "0b7f6a52-8d4e-4f2e-8f5e-2f6f0d4f7a11", "E06000004", "2026-11-22", "v1.2.3"])
def test_codes_and_identifiers_of_ours_are_not_taken_for_a_persons(text: str) -> None:
    search(json.dumps({**a_view().fields, "note": text}).encode(), Traces(frozenset()))


@pytest.mark.parametrize(
    "name",
    [
        "Sen",
        "Has",
        "New",
        "Summer",
        "Autumn",
        "Spring",
        "Card",
        "View",
        "Agrees",
        "Rae",
        "Raj",
        "RXX",
        "Asd",
        "May",
        "E06",
        "Direct",
        "Need",
        "Probably",
        "Gateway",
        "Notify",
    ],
)
def test_a_child_whose_name_is_a_word_of_the_view_is_not_quarantined(name: str) -> None:
    search(a_view(sender_ods="RAE" if name == "Rae" else "RAJ" if name == "Raj" else "RXX").content, Traces(frozenset({name})))


@pytest.mark.parametrize("name", ["Sen", "Has", "Al"])
def test_a_short_name_is_still_found_as_a_word_where_nothing_was_foreseen(name: str) -> None:
    assert hit({**a_view().fields, "note": f"{name} plays"}, name)[1] is Kind.OWN_IDENTIFIER
    search(json.dumps({**a_view().fields, "note": "sensory hasty also"}).encode(), Traces(frozenset({name})))


@pytest.mark.parametrize("born", ["2026-01-08", "2026-01-14", "2026-11-22", "20260108"])
def test_a_child_born_on_the_day_of_the_opinion_or_of_the_tables_is_not_quarantined(born: str) -> None:
    search(a_view().content, Traces(frozenset({born})))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100000])
def test_what_is_not_a_view_does_not_leave(content: bytes) -> None:
    assert hit(content) == ("view", Kind.NOT_A_VIEW)


def test_a_view_that_is_a_bare_text_is_searched() -> None:
    assert hit("Zephyrine", *CANARIES) == ("view", Kind.OWN_IDENTIFIER)


def test_empty_traces_find_nothing() -> None:
    search(a_view().content, Traces(frozenset({"", " ", "-"})))


@given(st.binary(min_size=32, max_size=32).filter(lambda root: len(set(root)) > 1))
def test_random_codes_do_not_set_it_off(root: bytes) -> None:
    search(a_view(pseudonym=some_pseudonyms().unlinked()).content, Traces(CANARIES | {root.hex()[:8], "Sam", "Ava", "Zara"}))


def test_the_hit_says_where_and_what_and_no_value() -> None:
    with pytest.raises(TripwireHit, match=r"^own-identifier at view\.\?$"):
        search(json.dumps({"note": "Zephyrine"}).encode(), Traces(CANARIES))
