# SPDX-License-Identifier: MIT
"""The message read into domain values: the conventions, one by one."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.identity import BirthDate, NhsNumber, Postcode
from notify_gateway.domain.model import (
    BusinessIdentifier,
    Certainty,
    Coding,
    GssCode,
    MessageReason,
    OdsCode,
    Opinion,
    OpinionKind,
    OpinionStatus,
    ParentActKind,
    ParentView,
    ReceiverReason,
    Submission,
    VoluntaryOrganisation,
    Withdrawal,
)
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.names import ODS_SYSTEMS
from notify_gateway.fhir.parsing import parse
from notify_gateway.fhir.structure import check_structure
from tests.fhir.spoiling import CARER, CONDITION, FOCUS, HEADER, INFORMED, PATIENT, SENDER, drop, put
from tests.support.messages import BASE, EXAMPLE, Message, a_message

DFE = f"{BASE}/CodeSystem/dfe-sen-type"
UK = "https://fhir.hl7.org.uk"


def read_any(message: Message) -> Submission | Withdrawal:
    document = parse(message.bytes())
    check_structure(document)
    return read_message(document)


def read(message: Message) -> Submission:
    submission = read_any(message)
    assert isinstance(submission, Submission)
    return submission


def test_the_published_example_says_what_it_says() -> None:
    submission = read_message(parse(EXAMPLE.read_bytes()))
    assert isinstance(submission, Submission)
    assert submission.message_id == "ea1e9f16-b1fe-5d52-a9f9-eab21a168d27"
    assert submission.reason is MessageReason.NEW
    assert submission.business_identifier == BusinessIdentifier("https://rxx.nhs.uk/Id/send-notification", "SN-2026-000123")
    assert submission.sent_at == submission.version_at == datetime(2026, 1, 14, 10, 15, tzinfo=UTC)
    assert (submission.sender, submission.receiver) == (OdsCode("RXX"), GssCode("E06000004"))
    assert submission.child.nhs_number == NhsNumber("9990548609")
    assert submission.child.birth_date == BirthDate(date(2022, 11, 3))
    assert submission.child.postcode == Postcode("TS18 1LD")
    assert not submission.child.address_restricted
    sen, slcn, day = frozenset({OpinionKind.SEN}), (Coding(DFE, "SLCN"),), date(2026, 1, 9)
    assert submission.opinions == (Opinion(Certainty.PROBABLY_HAS, sen, slcn, day, OpinionStatus.HELD, f"Bundle.{CONDITION}"),)
    assert [(act.kind, act.on) for act in submission.parent_acts] == [
        (ParentActKind.INFORMED, date(2026, 1, 10)),
        (ParentActKind.DISCUSSION_OFFERED, date(2026, 1, 10)),
        (ParentActKind.VIEWS, date(2026, 1, 12)),
    ]
    assert submission.parent_view is ParentView.IN_WORDS
    assert submission.voluntary_organisation is VoluntaryOrganisation.NOT_RECORDED
    assert submission.places["nhs-number"] == f"Bundle.{PATIENT}.identifier"


@pytest.mark.parametrize(
    ("name", "kind", "reason"), [("update", Submission, MessageReason.UPDATE), ("delete", Withdrawal, MessageReason.DELETE)]
)
def test_the_other_examples_are_read_as_what_they_are(name: str, kind: type, reason: MessageReason) -> None:
    message = read_message(parse((Path(EXAMPLE).parent / f"send_notification_{name}.json").read_bytes()))
    assert isinstance(message, kind)
    assert message.reason is reason


def test_nothing_of_the_child_prints() -> None:
    message = a_message()
    told = repr(read(message))
    assert not [canary for canary in message.canaries if canary in told]


# Withdrawal


@pytest.mark.parametrize(
    "spoil",
    [
        drop(f"{CONDITION}.code"),
        drop(f"{PATIENT}.birthDate"),
        put(f"{PATIENT}.identifier[0].value", "1"),
        drop(f"{INFORMED}.sent"),
        drop(f"{FOCUS}.sent"),
        put(f"{FOCUS}.status", "completed"),
        put(f"{SENDER}.name", "Any"),
    ],
)
def test_a_withdrawal_is_not_refused_for_its_content(spoil: Any) -> None:
    withdrawal = read_any(a_message().reason("delete").having(spoil))
    assert isinstance(withdrawal, Withdrawal)
    assert withdrawal.status is OpinionStatus.SENT_IN_ERROR
    assert withdrawal.sender == OdsCode("RXX")


def test_an_opinion_that_is_no_longer_held_is_withdrawn_by_an_update() -> None:
    message = a_message()
    withdrawal = read_any(message.opinion_withdrawn())
    assert isinstance(withdrawal, Withdrawal)
    assert withdrawal.status is OpinionStatus.NO_LONGER_HELD
    assert withdrawal.business_identifier.value == message.business_identifier


# Child


@pytest.mark.parametrize(
    ("system", "code", "status"),
    [
        ("UKCore-NHSNumberVerificationStatusEngland", "01", "01"),
        ("UKCore-NHSNumberVerificationStatus", "number-present-and-verified", "01"),
        ("UKCore-NHSNumberVerificationStatus", "03", "03"),
        ("UKCore-NHSNumberVerificationStatus", "trace-postponed", "08"),
    ],
)
def test_three_spellings_of_the_verification_status_are_one(system: str, code: str, status: str) -> None:
    coding = {"system": f"{UK}/CodeSystem/{system}", "code": code}
    submission = read(a_message().having(put(f"{PATIENT}.identifier[0].extension[0].valueCodeableConcept", {"coding": [coding]})))
    assert submission.card.reveal()["child"]["nhs_number_status"] == status


def test_a_number_may_be_absent_with_a_reason() -> None:
    child = read(a_message().without("nhs-number")).child
    assert child.nhs_number is None
    assert child.nhs_number_absent_because == "not-yet-traced"


@pytest.mark.parametrize("label", ["R", "V"])
def test_a_restricted_address_routes_but_is_on_no_card(label: str) -> None:
    message = a_message().restricted().having(put(f"{PATIENT}.meta.security[0].code", label))
    message.having(put(f"{CARER}.address", [{"line": ["9 Hidden Close"], "postalCode": "TS1 2QJ"}]))
    submission = read(message)
    assert submission.child.address_restricted
    assert submission.child.postcode == Postcode("TS18 1LD")
    card = str(submission.card.reveal())
    assert "TS18" not in card
    assert "Hidden" not in card
    assert "Hidden" in str(submission.traces.reveal())


def test_an_address_that_is_not_restricted_is_on_the_card() -> None:
    assert read(a_message()).card.reveal()["child"]["address"]["postalCode"] == "TS18 1LD"


def test_home_is_the_address_marked_home_else_the_first_that_is_not_old() -> None:
    addresses = [{"use": "old", "postalCode": "DL1 5QT"}, {"use": "temp", "postalCode": "DL1 5QT"}, {"postalCode": "TS1 2QJ"}]
    assert read(a_message().having(put(f"{PATIENT}.address", addresses))).child.postcode == Postcode("TS1 2QJ")
    at_home = [*addresses, {"use": "home", "postalCode": "TS10 1RT"}]
    assert read(a_message().having(put(f"{PATIENT}.address", at_home))).child.postcode == Postcode("TS10 1RT")


# Sender and receiver


@pytest.mark.parametrize("system", sorted(ODS_SYSTEMS))
def test_three_systems_of_ods_codes_are_one(system: str) -> None:
    message = a_message().having(put(f"{SENDER}.identifier[0]", {"system": system, "value": "rxx"})).to_authority("Y9999", system)
    submission = read(message)
    assert (submission.sender, submission.receiver) == (OdsCode("RXX"), OdsCode("Y9999"))


def test_a_sender_may_be_named_by_identifier_alone() -> None:
    identifier = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RXX"}
    assert read(a_message().having(put(f"{HEADER}.sender", {"identifier": identifier}))).sender == OdsCode("RXX")


@pytest.mark.parametrize("reason", ReceiverReason)
def test_the_reason_for_naming_the_authority_is_read(reason: ReceiverReason) -> None:
    assert read(a_message().because(reason)).receiver_reason is reason


def test_the_authority_need_not_be_named() -> None:
    assert read(a_message().without("receiver")).receiver is None
    assert read(a_message().having(drop(f"{HEADER}.destination"))).receiver is None


def test_many_resources_are_read_in_well_under_a_second() -> None:
    message = a_message()
    originals = message.document()["entry"]
    for number in range(240):
        copy = json.loads(json.dumps(originals[8 + number % 4]))
        copy["resource"].pop("meta")
        copy["fullUrl"] = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
        message.data["entry"].append(copy)
    body = message.bytes()
    started = time.process_time()
    with pytest.raises(Refused) as refusal:
        read_message(parse(body))
    assert {issue.code for issue in refusal.value.issues} == {Code.OPINION_NOT_REFERENCED}
    assert time.process_time() - started < 0.5
