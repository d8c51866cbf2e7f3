# SPDX-License-Identifier: MIT
"""Structure: what is accepted as it should be, what the models alone would let through, and a guard that lets nothing else out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.fhir import structure
from notify_gateway.fhir.names import ENTRY_TYPES
from notify_gateway.fhir.parsing import MAX_ISSUES, parse
from notify_gateway.fhir.shapes import resource_model, shape_of, shapes
from notify_gateway.fhir.structure import check_structure, validate_with_models
from tests.fhir.spoiling import CONDITION, PATIENT, drop, put
from tests.support.messages import EXAMPLE, a_message


@pytest.mark.parametrize("example", sorted(EXAMPLE.parent.glob("send_notification_*.json")), ids=lambda path: path.stem)
def test_the_published_examples_are_sound(example: Path) -> None:
    check_structure(parse(example.read_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        put(f"{PATIENT}._birthDate", {"extension": [{"url": "https://example.org/x", "valueDateTime": "2022-11-03T04:05:06Z"}]}),
        put(f"{PATIENT}.name[0]._given", [None, {"id": "b"}]),
        put(f"{PATIENT}.text", {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>on time = fine</p></div>'}),
        put(f"{PATIENT}.contained", [{"resourceType": "Organization", "id": "gp", "name": "Surgery"}]),
        put(f"{PATIENT}.multipleBirthInteger", 2),
        put(f"{PATIENT}.deceasedBoolean", False),
        put("timestamp", "2026-01-14T10:15:00.1234567+00:00"),
        put("timestamp", "2016-12-31T23:59:60Z"),
        drop(f"{CONDITION}.clinicalStatus"),
    ],
)
def test_what_fhir_allows_is_let_through(change: Any) -> None:
    check_structure(parse(a_message().having(change).bytes()))


def test_a_reference_to_a_contained_resource_resolves() -> None:
    message = a_message().having(put(f"{PATIENT}.contained", [{"resourceType": "Organization", "id": "gp", "name": "Surgery"}]))
    check_structure(message.having(put(f"{PATIENT}.generalPractitioner[0]", {"reference": "#gp"})).document())


@pytest.mark.parametrize("given", [["A", None], [None, "B"]])
def test_null_may_stand_in_a_list_of_texts_only_beside_its_extension(given: list[str | None]) -> None:
    change = put(f"{PATIENT}.name[0].given", given)
    check_structure(a_message().having(change).having(put(f"{PATIENT}.name[0]._given", [{"id": "a"}, {"id": "b"}])).document())


def test_several_faults_are_told_at_once() -> None:
    message = a_message().having(put(f"{PATIENT}.gender", "x")).having(put(f"{PATIENT}.birthDate", 1)).having(drop("type"))
    with pytest.raises(Refused) as refusal:
        check_structure(message.document())
    assert {issue.code for issue in refusal.value.issues} == {Code.CODE_NOT_IN_BINDING, Code.JSON_TYPE, Code.ELEMENT_MISSING}


def test_not_more_faults_are_told_than_anybody_reads() -> None:
    message = a_message().having(put(f"{PATIENT}.name", [{"x": 1}] * 500))
    with pytest.raises(Refused) as refusal:
        check_structure(message.document())
    assert len(refusal.value.issues) == MAX_ISSUES + 1


@pytest.mark.parametrize(
    "error", [KeyError("R4B.SecretType"), TypeError("secret"), AttributeError("secret"), RecursionError(), RuntimeError("secret")]
)
def test_whatever_the_models_raise_is_a_refusal_without_a_word(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crashing:
        @staticmethod
        def model_validate(document: object) -> None:
            raise error

    monkeypatch.setattr(structure, "resource_model", lambda name: Crashing)
    with pytest.raises(Refused) as refusal:
        validate_with_models({})
    assert refusal.value.__suppress_context__
    assert "ecret" not in str(refusal.value)


@pytest.mark.parametrize("value", ["Foo", None, ["Patient"], {}, 1, "Observation"])
def test_the_models_behind_the_guard_never_crash_on_a_resource_type(value: object) -> None:
    document = a_message().having(put(f"{PATIENT}.resourceType", value)).document()
    with pytest.raises(Refused):
        validate_with_models(document)


@pytest.mark.parametrize("name", sorted(ENTRY_TYPES | {"Bundle"}))
def test_every_resource_that_may_travel_has_a_shape_without_python_names(name: str) -> None:
    shape = shape_of(resource_model(name))
    assert "resourceType" in shape.elements
    assert not any("__" in element or element.endswith("_fhir") for element in shape.elements)


@pytest.mark.parametrize("status", ["corrected", "entered-in-error", "cancelled", "unknown"])
def test_a_value_set_that_the_models_abbreviate_is_held_whole(status: str) -> None:
    check_structure(a_message().observed({"text": "a"}, status=status).document())
    for wrong in ("+", "done"):
        with pytest.raises(Refused, match=Code.CODE_NOT_IN_BINDING):
            check_structure(a_message().observed({"text": "a"}, status=wrong).document())


def test_no_value_set_is_abbreviated() -> None:
    bound = [element.codes for shape in shapes() for element in shape.elements.values() if element.codes is not None]
    assert not [codes for codes in bound if codes & {"+", "etc.", "..."}]


def test_references_to_contained_resources_lead_to_the_first_of_an_id() -> None:
    twins = [{"resourceType": kind, "id": "a"} for kind in ("Organization", "Patient")]
    message = a_message().having(put(f"{PATIENT}.contained", [*twins, {"resourceType": "Patient"}]))
    check_structure(message.having(put(f"{PATIENT}.managingOrganization", {"reference": "#a"})).document())
    for nowhere in ("#", "#b"):
        with pytest.raises(Refused, match=Code.REFERENCE_UNRESOLVED):
            check_structure(message.having(put(f"{PATIENT}.managingOrganization", {"reference": nowhere})).document())


def test_no_other_resource_is_ever_imported() -> None:
    with pytest.raises(KeyError):
        resource_model("SubstanceProtein")
