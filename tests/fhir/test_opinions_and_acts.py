# SPDX-License-Identifier: MIT
"""Opinions, acts towards the parent and views, read into domain values."""

from __future__ import annotations

from datetime import date

import pytest

from notify_gateway.domain.model import (
    Certainty,
    Coding,
    OpinionKind,
    ParentActKind,
    ParentView,
    Submission,
    VoluntaryOrganisation,
)
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.parsing import parse
from notify_gateway.fhir.structure import check_structure
from tests.fhir.spoiling import CONDITION, FOCUS, INFORMED, VIEWS, put
from tests.support.messages import BASE, SECTION_23, Message, a_message

DFE = f"{BASE}/CodeSystem/dfe-sen-type"
UK = "https://fhir.hl7.org.uk"


def read(message: Message) -> Submission:
    document = parse(message.bytes())
    check_structure(document)
    submission = read_message(document)
    assert isinstance(submission, Submission)
    return submission


def test_both_kinds_and_a_diagnosis() -> None:
    category = {"coding": [{"system": f"{BASE}/CodeSystem/opinion-category", "code": "disability"}]}
    snomed = {"system": "http://snomed.info/sct", "code": "35919005"}
    message = a_message().having(put(f"{CONDITION}.category[1]", category)).having(put(f"{CONDITION}.code.coding[1]", snomed))
    opinion = read(message.having(put(f"{CONDITION}.verificationStatus.coding[0].code", "confirmed"))).opinions[0]
    assert opinion.kinds == {OpinionKind.SEN, OpinionKind.DISABILITY}
    assert opinion.certainty is Certainty.HAS
    assert opinion.codings == (Coding(DFE, "SLCN"), Coding("http://snomed.info/sct", "35919005"))


def test_a_code_of_another_system_is_left_in_the_sealed_part() -> None:
    local = {"system": "https://rxx.nhs.uk/codes", "code": "Avery's need", "display": "x"}
    assert read(a_message().having(put(f"{CONDITION}.code.coding[1]", local))).opinions[0].codings == (Coding(DFE, "SLCN"),)


@pytest.mark.parametrize(
    ("asserted", "formed_on"),
    [("2026-01-05", date(2026, 1, 5)), ("2025-07-01T00:30:00+01:00", date(2025, 7, 1)), ("2025-06-30T23:30:00Z", date(2025, 7, 1))],
)
def test_the_asserted_date_counts_before_the_recorded_one_and_in_london(asserted: str, formed_on: date) -> None:
    extension = [{"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate", "valueDateTime": asserted}]
    assert read(a_message().having(put(f"{CONDITION}.extension", extension))).opinions[0].formed_on == formed_on


def test_of_several_opinions_only_those_that_are_held_are_notified() -> None:
    message = a_message()
    second = message.document()["entry"][8]
    second["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-000000000001"
    second["resource"]["verificationStatus"]["coding"][0]["code"] = "refuted"
    message.having(put("entry[12]", second)).having(put(f"{FOCUS}.reasonReference[1]", {"reference": second["fullUrl"]}))
    assert [opinion.at for opinion in read(message.reason("update")).opinions] == [f"Bundle.{CONDITION}"]


def test_several_opinions_and_several_carers_are_all_read() -> None:
    message = a_message()
    opinion, carer = message.document()["entry"][8], message.document()["entry"][7]
    opinion["fullUrl"], carer["fullUrl"] = (f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
    opinion["resource"] |= {"recordedDate": "2026-01-05", "code": {"coding": [{"system": DFE, "code": "PD"}]}}
    opinion["resource"]["verificationStatus"]["coding"][0]["code"] = "confirmed"
    carer["resource"] |= {"name": [{"text": "Morgan Ashgrove"}], "relationship": [{"text": "father"}]}
    message.having(put("entry[12]", opinion)).having(put("entry[13]", carer))
    message.having(put(f"{FOCUS}.reasonReference[1]", {"reference": opinion["fullUrl"]}))
    message.having(put(f"{INFORMED}.recipient", [{"reference": carer["fullUrl"]}]))
    submission = read(message)
    held = [(opinion.certainty, opinion.codings, opinion.formed_on) for opinion in submission.opinions]
    assert held == [
        (Certainty.PROBABLY_HAS, (Coding(DFE, "SLCN"),), date(2026, 1, 9)),
        (Certainty.HAS, (Coding(DFE, "PD"),), date(2026, 1, 5)),
    ]
    card = submission.card.reveal()
    assert [person["relationship"] for person in card["carers"]] == [["mother"], ["father"]]
    assert len(card["opinions"]) == 2


def _add_view(message: Message, code: str, on: str, *, carer: int = 7) -> Message:
    entry = message.document()["entry"][11]
    number = len(message.data["entry"])
    entry["fullUrl"] = f"urn:uuid:00000000-0000-4000-8000-0000000000{number:02d}"
    entry["resource"]["topic"] = {"coding": [{"system": f"{BASE}/CodeSystem/parental-view", "code": code}]}
    entry["resource"]["sent"] = on
    entry["resource"]["sender"]["reference"] = message.data["entry"][carer]["fullUrl"]
    return message.having(put(f"entry[{number}]", entry))


@pytest.mark.parametrize("view", ["agrees", "has-concerns", "objects", "not-reached"])
def test_a_coded_view_is_read(view: str) -> None:
    assert read(a_message().view(view)).parent_view is ParentView(view)


def test_of_one_carer_the_latest_view_counts() -> None:
    assert read(_add_view(a_message().view("objects"), "agrees", "2026-01-13")).parent_view is ParentView.AGREES
    assert read(_add_view(a_message().view("objects"), "agrees", "2026-01-11")).parent_view is ParentView.OBJECTS


def test_of_several_carers_the_most_cautious_view_counts() -> None:
    message = a_message().view("objects")
    father = message.document()["entry"][7]
    father["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-000000000077"
    message.having(put("entry[12]", father))
    assert read(_add_view(message, "agrees", "2026-01-13", carer=12)).parent_view is ParentView.OBJECTS


def test_no_view_is_not_recorded() -> None:
    assert read(a_message().without("parental-views")).parent_view is ParentView.NOT_RECORDED


@pytest.mark.parametrize(("value", "agreed"), [(True, True), (False, False)])
def test_the_agreement_to_share_is_read(value: bool, agreed: bool) -> None:
    assert read(a_message().agreed(value)).parent_agreed_to_share is agreed


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("completed", VoluntaryOrganisation.ADVISED),
        ("not-done", VoluntaryOrganisation.NONE_LIKELY),
        ("on-hold", VoluntaryOrganisation.NOT_RECORDED),
    ],
)
def test_the_voluntary_organisation_is_named_none_or_not_recorded(status: str, answer: VoluntaryOrganisation) -> None:
    code = {"coding": [{"system": SECTION_23, "code": "voluntary-organisation-advised"}]}
    message = a_message().having(put(f"{VIEWS}.category", [code])).having(put(f"{VIEWS}.status", status))
    message.having(lambda document: document["entry"][11]["resource"].update(recipient=[{"reference": document["entry"][7]["fullUrl"]}]))
    assert read(message).voluntary_organisation is answer


def test_one_meeting_may_be_several_acts() -> None:
    offered = {"coding": [{"system": SECTION_23, "code": "discussion-offered"}]}
    submission = read(a_message().without("discussion-offered").having(put(f"{INFORMED}.category[1]", offered)))
    kinds = {act.kind for act in submission.parent_acts if act.at == f"Bundle.{INFORMED}"}
    assert kinds == {ParentActKind.INFORMED, ParentActKind.DISCUSSION_OFFERED}
