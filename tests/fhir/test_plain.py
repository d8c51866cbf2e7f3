# SPDX-License-Identifier: MIT
"""The quick way in takes nothing that the exact walk or the R4B models would refuse, and takes what trusts ordinarily send."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_gateway.domain.errors import Refused
from notify_gateway.fhir import structure
from notify_gateway.fhir.names import ENTRY_TYPES
from notify_gateway.fhir.parsing import parse
from notify_gateway.fhir.plain import links_if_plain
from notify_gateway.fhir.shapes import resource_model, shapes
from notify_gateway.fhir.structure import check_structure
from notify_gateway.fhir.survey import Link, survey
from tests.fhir.bad_messages import CASES, build
from tests.fhir.growing import RIGHT, VALUES, Grower, kind_of
from tests.fhir.spoiling import PATIENT, put
from tests.fhir.test_mutations import Mutations, mangled, mutations
from tests.support.messages import ACTS, EXAMPLE, Message, a_message

MANY_MANGLED, MANY_GROWN = 800, 1_600
VERY_MANY = 30_000
QUIETLY = [HealthCheck.too_slow]

EXTENSION = next(shape for shape in shapes() if shape.type_name == "Extension")
PRIMITIVES = {kind_of(element): element for name, element in EXTENSION.elements.items() if element.model is None and name[:5] == "value"}
"""An element for nearly each primitive type there is: the values that an extension may have."""

changes_to_the_example = mutations(st.sampled_from(VALUES))


def taken_and_sound(document: dict[str, Any]) -> bool:
    """Tell whether the quick way takes ``document``; if so, the walk and the models must take it too, and know the same references."""
    links = links_if_plain(document)
    if links is None:
        return False
    found = survey(document)
    assert found.issues == []
    assert Counter(map(_bare, links)) == Counter(map(_bare, found.links))
    resource_model("Bundle").model_validate(document)
    return True


def _bare(link: Link) -> tuple[object, ...]:
    return link.reference, link.claimed, link.targets


def with_value(name: str, value: Any) -> dict[str, Any]:
    extension = {"url": "https://example.org/x", name: value}
    return {"resourceType": "Bundle", "type": "message", "entry": [{"resource": {"resourceType": "Patient", "extension": [extension]}}]}


def grown(seed: int) -> dict[str, Any]:
    random = Random(seed)
    return Grower(random, random.choice([0, 0, 0.005, 0.02, 0.1])).bundle()


@settings(max_examples=MANY_MANGLED, suppress_health_check=QUIETLY, deadline=None)
@given(changes_to_the_example)
def test_a_mangled_message_that_is_taken_is_sound(changes: Mutations) -> None:
    taken_and_sound(mangled(changes))


@settings(max_examples=MANY_GROWN, suppress_health_check=QUIETLY, deadline=None)
@given(st.integers(0, 2**64))
def test_a_resource_of_any_shape_that_is_taken_is_sound(seed: int) -> None:
    taken_and_sound(grown(seed))


@pytest.mark.long
@settings(max_examples=VERY_MANY, suppress_health_check=QUIETLY, deadline=None)
@given(changes_to_the_example)
def test_very_many_mangled_messages_that_are_taken_are_sound(changes: Mutations) -> None:
    taken_and_sound(mangled(changes))


@pytest.mark.long
@settings(max_examples=VERY_MANY, suppress_health_check=QUIETLY, deadline=None)
@given(st.integers(0, 2**64))
def test_very_many_resources_that_are_taken_are_sound(seed: int) -> None:
    taken_and_sound(grown(seed))


def test_the_random_resources_are_taken_often_enough_to_prove_something() -> None:
    taken = [seed for seed in range(400) if taken_and_sound(grown(seed))]
    assert 100 < len(taken) < 300
    kinds = {entry["resource"]["resourceType"] for seed in taken for entry in grown(seed)["entry"] if "resource" in entry}
    assert kinds == ENTRY_TYPES


def test_every_primitive_type_that_a_message_can_reach_has_values_to_try() -> None:
    reachable = {kind_of(element) for shape in shapes() for element in shape.elements.values() if element.model is None}
    assert reachable == RIGHT.keys()
    assert reachable - PRIMITIVES.keys() == {"str", "Xhtml"}


@pytest.mark.parametrize("kind", sorted(PRIMITIVES))
def test_no_value_of_a_primitive_is_taken_that_its_own_type_refuses(kind: str) -> None:
    element = PRIMITIVES[kind]
    taken = [value for value in VALUES if taken_and_sound(with_value(element.name, value))]
    assert any(value in taken for value in RIGHT[kind])


@pytest.mark.parametrize("value", ["x" * 64, "x" * 65, "a/b", "a b", "", "é", 1])
def test_no_id_of_a_resource_is_taken_that_is_none(value: object) -> None:
    document = a_message().having(put(f"{PATIENT}.id", value)).document()
    assert taken_and_sound(document) is (value == "x" * 64)


def test_no_bad_message_of_the_table_is_taken_that_the_walk_or_the_models_refuse() -> None:
    for case in CASES:
        with suppress(Refused):
            taken_and_sound(parse(build(case)))


def test_nothing_required_is_left_out_of_the_quick_way() -> None:
    required = {name for shape in shapes() for name in shape.required}
    assert not required & {"contained", "modifierExtension", "implicitRules"}
    assert not [name for name in required if name.startswith("_")]


GOOD: dict[str, Message] = {
    "the example": a_message(),
    "another alphabet": a_message().for_child(given="Zoë-Маша 子 🙂", line="1 Müller's\tYard\r\nNorth"),
    "a restricted address": a_message().restricted(),
    "an authority named for a reason": a_message().because("looked-after"),
    "an agreement to share": a_message().agreed(),
    "several needs": a_message().needs("SLCN", "ASD"),
    "a coded view": a_message().view("agrees"),
    "no NHS number": a_message().without("nhs-number"),
    "no postcode": a_message().without("postcode"),
    "no receiver": a_message().without("receiver"),
    **{f"no {act}": a_message().without(act) for act in ACTS},
    "an update": a_message().followed_by("update"),
    "a deletion": a_message().followed_by("delete"),
    "an opinion withdrawn": a_message().opinion_withdrawn(),
    "a narrative": a_message().having(
        put(f"{PATIENT}.text", {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'})
    ),
    "partial dates": a_message().having(put(f"{PATIENT}.birthDate", "2022-11")),
    "a leap second": a_message().having(put("timestamp", "2016-12-31T23:59:60Z")),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_message_is_taken_without_the_models(name: str, without_models: None) -> None:
    document = parse(GOOD[name].bytes())
    assert taken_and_sound(document)
    check_structure(document)


@pytest.mark.parametrize("example", sorted(EXAMPLE.parent.glob("send_notification_*.json")), ids=lambda path: path.stem)
def test_the_published_examples_are_taken_without_the_models(example: Path, without_models: None) -> None:
    check_structure(parse(example.read_bytes()))


@pytest.fixture
def without_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def models(document: object) -> None:
        raise AssertionError("a plain message needs no models")

    monkeypatch.setattr(structure, "validate_with_models", models)


@pytest.mark.parametrize(
    "change",
    [
        put(f"{PATIENT}._birthDate", {"id": "a"}),
        put(f"{PATIENT}.contained", [{"resourceType": "Organization", "id": "gp"}]),
        put(f"{PATIENT}.name[0].given", [None, "B"]),
    ],
)
def test_what_is_unusual_is_left_to_the_models(change: Any) -> None:
    assert links_if_plain(a_message().having(change).document()) is None


def test_a_plain_message_with_a_broken_reference_is_refused_at_its_place() -> None:
    document = a_message().having(put(f"{PATIENT}.generalPractitioner", [{"reference": "urn:uuid:none"}])).document()
    assert links_if_plain(document) is not None
    with pytest.raises(Refused) as refusal:
        check_structure(document)
    assert [issue.expression for issue in refusal.value.issues] == ["Bundle.entry[2].resource.generalPractitioner[0].reference"]


@pytest.mark.parametrize("document", [{}, {"resourceType": "Patient"}, {"resourceType": ["Bundle"]}, json.loads('{"a": {}}')])
def test_what_is_no_bundle_is_not_taken(document: dict[str, Any]) -> None:
    assert links_if_plain(document) is None
