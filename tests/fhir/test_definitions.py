# SPDX-License-Identifier: MIT
"""The definitions that are served: sound FHIR R4, whole, and the same as what the code works by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from notify_gateway.api import answers, verdict
from notify_gateway.api.endpoints import ENDPOINTS
from notify_gateway.domain.advice import Advice
from notify_gateway.domain.catalogue import Code, all_entries, entry
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.feedback import OUTCOMES, QUESTIONS, SEND_BACK_REASONS, AuthorityOutcome, Question, SendBackReason
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.model import MessageReason, OpinionKind, ParentView, ReceiverReason
from notify_gateway.fhir import acts, names
from notify_gateway.fhir.definitions import TYPES, definitions, find
from notify_gateway.fhir.definitions.canonical import Concept, without_repeats
from notify_gateway.fhir.definitions.capability import capability_statement
from notify_gateway.fhir.definitions.message import CARDINALITIES
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.task import TASK_HISTORY, Told
from tests.fhir.test_answers import task_in
from tests.support.messages import a_message
from tests.support.waiting import ROOT

OTHERS = {names.SNOMED, names.VERIFICATION}
ALL = [made for kind in TYPES for made in definitions(kind)]
STATEMENT = capability_statement(
    base_url="https://gateway.example", token_url="https://gateway.example/oauth2/token", software_version="1.2.3"
)


def model(kind: str) -> Any:
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)


def codes(definition_id: str) -> set[str]:
    system = find("CodeSystem", definition_id)
    assert system is not None, definition_id
    return {concept["code"] for concept in system["concept"]}


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("made", [*ALL, STATEMENT], ids=lambda made: f"{made['resourceType']}-{made['id']}")
def test_a_definition_is_sound_fhir_and_says_who_it_is(made: dict[str, Any]) -> None:
    model(made["resourceType"]).model_validate(made)
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", made["id"])
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", made["name"])
    assert {"url", "version", "title", "status", "date", "publisher", "description"} <= made.keys()
    assert not [text for text in strings(made) if text != text.strip() or not text]


def test_addresses_are_told_apart_and_lead_to_their_ids() -> None:
    assert len({made["url"] for made in ALL}) == len(ALL)
    assert all(made["url"] == f"{names.BASE}/{made['resourceType']}/{made['id']}" for made in ALL)


def test_whatever_one_definition_names_of_ours_is_served() -> None:
    served = {made["url"] for made in ALL}
    named = {text.partition("|")[0] for made in [*ALL, STATEMENT] for text in strings(made) if text.startswith(names.BASE)}
    assert named - served == set()


def test_whatever_the_code_names_of_ours_is_served() -> None:
    served = {made["url"].removeprefix(names.BASE) for made in ALL}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "notify_gateway").rglob("*.py")]
    named = {
        f"/{kind}/{each}" for text in sources for kind, each in re.findall(r"BASE\}/(StructureDefinition|CodeSystem)/([a-z0-9-]+)", text)
    }
    assert len(named) > 15
    assert named - served == set()


def test_codes_come_once_and_are_counted() -> None:
    for system in definitions("CodeSystem"):
        listed = [concept["code"] for concept in system["concept"]]
        assert (len(set(listed)), system["count"]) == (len(listed), len(listed)), system["id"]
        declared = {each["code"]: each["type"] for each in system.get("property", ())}
        for concept in system["concept"]:
            for each in concept.get("property", ()):
                kind = declared[each["code"]]
                assert f"value{kind[0].upper()}{kind[1:]}" in each
    with pytest.raises(ValueError, match="twice"):
        without_repeats([Concept("a", "A", "A."), Concept("a", "B", "B.")])


def test_every_value_set_takes_its_codes_from_a_system_that_has_them() -> None:
    own = {system["url"]: {concept["code"] for concept in system["concept"]} for system in definitions("CodeSystem")}
    for value_set in definitions("ValueSet"):
        for include in value_set["compose"]["include"]:
            assert include["system"] in OTHERS | own.keys(), value_set["id"]
            listed = [each["code"] for each in include.get("concept", ())]
            assert len(set(listed)) == len(listed)
            assert include["system"] in OTHERS or set(listed) <= own[include["system"]]


def test_code_systems_are_those_of_the_code() -> None:
    assert codes("message-event") == {names.EVENT}
    assert codes("message-reason") == set(MessageReason)
    assert codes("section-23-communication") == {names.AUTHORITY_NOTIFIED, *acts.ParentActKind}
    assert codes("opinion-category") == set(OpinionKind)
    assert codes("parental-view") == set(acts._CODED) == set(ParentView) - {ParentView.IN_WORDS, ParentView.NOT_RECORDED}
    assert codes("receiver-reason") == set(ReceiverReason)
    assert codes("asq-3-domain") == set(names.ASQ_3_DOMAINS)
    assert {"SLCN", "ASD", "DS", "MSI"} <= codes("dfe-sen-type")
    assert codes("task-state") == set(State)
    assert codes("task-output") == set(Told)
    assert codes("authority-outcome") == set(AuthorityOutcome) == set(OUTCOMES)
    assert codes("sent-back-reason") == set(SendBackReason) == set(SEND_BACK_REASONS)
    assert codes("authority-question") == set(Question) == set(QUESTIONS)
    assert codes("error") == set(Code) == {each.code.value for each in all_entries()}
    assert f"{names.BASE}/CodeSystem/advice" == verdict.ADVICE
    assert codes("advice") == set(Advice)


def test_each_type_of_need_belongs_to_an_area_that_is_served() -> None:
    system = find("CodeSystem", "dfe-sen-type")
    assert system is not None
    areas = {each["valueCode"] for concept in system["concept"] for each in concept.get("property", ()) if each["code"] == "broad-area"}
    assert areas == codes("broad-area-of-need")


def test_the_message_definition_asks_what_the_reader_asks() -> None:
    definition = find("MessageDefinition", names.EVENT)
    assert definition is not None
    assert definition["url"] == names.DEFINITION
    focus = {each["code"]: each for each in definition["focus"]}
    assert focus.keys() == names.ENTRY_TYPES
    for kind, (least, most) in CARDINALITIES.items():
        entries = a_message().document()["entry"]
        present = [each for each in entries if each["resource"]["resourceType"] == kind]
        assert len(present) >= least
        if least and kind not in ("MessageHeader", "Communication"):
            assert Code.TOO_FEW in refused({**a_message().document(), "entry": [each for each in entries if each not in present]})
        if most == "1" and kind in ("Patient", "ServiceRequest", "Consent"):
            extra = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-00000000000", "resource": {"resourceType": kind, **NEEDED}}
            twice = [{**extra, "fullUrl": f"{extra['fullUrl']}{index}"} for index in range(2)]
            assert Code.TOO_MANY in refused({**a_message().document(), "entry": [*entries, *twice]})


NEEDED = {"status": "active", "intent": "order", "scope": {}, "subject": {}, "patient": {}, "category": []}


def refused(document: dict[str, Any]) -> set[str]:
    with pytest.raises(Refused) as error:
        read_message(document)
    return {issue.code for issue in error.value.issues}


def test_extensions_are_defined_as_they_are_sent() -> None:
    history = {part["url"] for each in task_in(State.SENT_BACK)["extension"] for part in each["extension"]}
    assert defined(TASK_HISTORY) == history
    assert answers.ACCEPTANCE.rpartition("/")[2] == "acceptance"
    assert defined(answers.ACCEPTANCE) == {"reference", "authority", "leaf", "promise", "receipt"}
    assert {"verdict", "layer", "authority", "needs-version"} <= defined(verdict.DRY_RUN)
    for url in (names.RECEIVER_REASON, names.AGREED_TO_SHARE, names.ASQ_3_MONTH, names.DO_NOT_CONTACT_BEFORE):
        assert defined(url) == set()


def defined(url: str) -> set[str]:
    """The names of the parts that an extension may have."""
    made = next(each for each in definitions("StructureDefinition") if each["url"] == url)
    elements = made["differential"]["element"]
    assert next(each["id"] for each in elements) == "Extension"
    assert len({each["id"] for each in elements}) == len(elements)
    return {each["sliceName"] for each in elements if "sliceName" in each and each["id"].count(":") == 1}


def test_the_statement_names_deployment_sign_in_message_and_operations() -> None:
    assert (STATEMENT["kind"], STATEMENT["fhirVersion"], STATEMENT["software"]["version"]) == ("instance", "4.0.1", "1.2.3")
    assert STATEMENT["implementation"]["url"] == "https://gateway.example/fhir/R4"
    (rest,) = STATEMENT["rest"]
    assert "https://gateway.example/oauth2/token" in set(strings(rest["security"]))
    assert [each["type"] for each in rest["resource"]] == ["Bundle", *TYPES, "Task", "AuditEvent"]
    supported = STATEMENT["messaging"][0]["supportedMessage"]
    assert [each["definition"] for each in supported] == [f"{names.DEFINITION}|{version}" for version in names.DEFINITION_VERSIONS]


def test_the_statement_names_every_operation_that_there_is_and_no_other() -> None:
    (rest,) = STATEMENT["rest"]
    named = {f"/fhir/R4/${each['name']}" for each in rest["operation"]}
    for resource in rest["resource"]:
        named |= {(resource["type"], each["name"]) for each in resource.get("operation", ())}
    served = {path for method, path in ENDPOINTS if method == "POST" and path.startswith("/fhir/R4/$")}
    by_type = (re.fullmatch(r"/fhir/R4/(\w+)(?:/\{\w+\})?/\$([a-z-]+)", path) for _, path in ENDPOINTS)
    assert named == {*served, *((found[1], found[2]) for found in by_type if found)}
    for each in definitions("OperationDefinition"):
        at = [rest] if each["system"] else [found for found in rest["resource"] if found["type"] in each["resource"]]
        assert [made["definition"] for place in at for made in place["operation"] if made["name"] == each["code"]] == [each["url"]]


def test_the_errors_that_point_to_a_list_name_one_that_is_served() -> None:
    for code, definition_id in ((Code.OUTCOME_UNKNOWN, "authority-outcome"), (Code.SEND_BACK_REASON, "sent-back-reason")):
        assert definition_id in entry(code).fix
        assert find("CodeSystem", definition_id) is not None
    assert find("CodeSystem", "no-such-system") is None
