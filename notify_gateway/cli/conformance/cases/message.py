# SPDX-License-Identifier: MIT
"""FHIR that is sound but leaves open what a notification must say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, bad
from notify_gateway.cli.conformance.changes import Change, Drop, Put, Repeat, Url, Without
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.domain.catalogue import Code
from notify_gateway.fhir import names

GROUP: Final = "message"
_NEXT_DEFINITION = f"{names.DEFINITION}|9.0.0"
_SECOND_NUMBER = {"system": names.NHS_NUMBER, "value": "9990000018"}
_ABSENT = {
    "url": names.NUMBER_UNAVAILABLE,
    "valueCodeableConcept": {"coding": [{"system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberUnavailableReason", "code": "a"}]},
}
_STATUS = "patient.identifier[0].extension[0].valueCodeableConcept.coding[0].code"
_A_MONTH = [{"url": names.DO_NOT_CONTACT_BEFORE, "valueDate": "2026-03"}]
_IN_WORDS = [{"url": names.AGREED_TO_SHARE, "valueString": "yes"}]
_BECAUSE = [{"url": names.RECEIVER_REASON, "valueCode": "because"}]
_DELIGHTED = {"coding": [{"system": names.PARENTAL_VIEW, "code": "delighted"}]}


def _snomed(code: str) -> dict[str, str]:
    return {"system": names.SNOMED, "code": code}


def _the_trust(draft: Draft) -> dict[str, str]:
    return {"reference": draft.url("sender"), "type": "Organization"}


def _the_role(draft: Draft) -> dict[str, str]:
    return {"reference": draft.url("role"), "type": "PractitionerRole"}


_FAULTS: Final[tuple[tuple[str, str, Code, tuple[Change, ...]], ...]] = (
    ("another event", "MessageDefinition", Code.EVENT_UNKNOWN, (Put("header.eventCoding.code", "servicerequest-request"),)),
    ("a version that does not exist", "MessageDefinition", Code.DEFINITION_UNKNOWN, (Put("header.definition", _NEXT_DEFINITION),)),
    ("no definition", "MessageDefinition", Code.DEFINITION_UNKNOWN, (Drop("header.definition"),)),
    ("an unknown reason", "NEMS new, update, delete", Code.REASON_UNKNOWN, (Put("header.reason.coding[0].code", "replace"),)),
    ("a message id that is no UUID", "NEMS", Code.MESSAGE_ID, (Put("header.id", "message-1"),)),
    ("no version time", "NEMS meta.lastUpdated", Code.VERSION_TIME, (Drop("header.meta.lastUpdated"),)),
    ("no contact of the source", "NEMS source.contact 1..1", Code.SOURCE_CONTACT, (Drop("header.source.contact"),)),
    ("no opinion", "MessageDefinition", Code.TOO_FEW, (Without("opinion"),)),
    ("two children", "one child, one message", Code.TOO_MANY, (Repeat("patient"),)),
    ("a focus that is another act", "MessageDefinition", Code.FOCUS, (Put("header.focus[0].reference", Url("informed")),)),
    ("no identifier of the sender's own", "NEMS", Code.BUSINESS_IDENTIFIER, (Drop("focus.identifier"),)),
    ("a notification in preparation", "MessageDefinition", Code.FOCUS_STATUS, (Put("focus.status", "preparation"),)),
    ("no time of sending", "section 23(3)", Code.SENT_TIME, (Drop("focus.sent"),)),
    ("a sender without ODS code", "UK Core Organization", Code.SENDER_ODS, (Drop("sender.identifier"),)),
    ("nobody who formed the opinion", "an officer of the body", Code.SENDER_ROLE, (Put("focus.sender", _the_trust),)),
    ("a receiver by a name", "section 24", Code.RECEIVER_NAME, (Put("receiver.identifier[0].value", "the council"),)),
    ("an unknown reason for the receiver", "code list", Code.RECEIVER_REASON_UNKNOWN, (Put("header.extension", _BECAUSE),)),
    ("a child without name", "UK Core Patient", Code.CHILD_NAME, (Drop("patient.name"),)),
    ("a year of birth alone", "school age needs the day", Code.BIRTH_DATE, (Put("patient.birthDate", "2022"),)),
    ("a wrong check digit", "modulus 11", Code.NHS_NUMBER_INVALID, (Put("patient.identifier[0].value", "9990548608"),)),
    ("an NHS number with spaces", "NHS Data Dictionary", Code.NHS_NUMBER_INVALID, (Put("patient.identifier[0].value", "999 054 8609"),)),
    ("neither number nor reason", "UK Core", Code.NHS_NUMBER_MISSING, (Drop("patient.identifier"),)),
    (
        "a reason without local identifier",
        "UK Core",
        Code.LOCAL_IDENTIFIER_MISSING,
        (Drop("patient.identifier"), Put("patient.extension[1]", _ABSENT)),
    ),
    ("two NHS numbers", "UK Core 0..1", Code.NHS_NUMBER_TWO, (Put("patient.identifier[1]", _SECOND_NUMBER),)),
    ("an unknown verification status", "UK Core", Code.NHS_NUMBER_STATUS, (Put(_STATUS, "09"),)),
    ("a carer without name", "whom to reach", Code.CARER_NAME, (Drop("carer.name"),)),
    ("an opinion without certainty", "section 23(1); L4", Code.OPINION_CERTAINTY, (Drop("opinion.verificationStatus"),)),
    (
        "an opinion that is only differential",
        "has or probably has; L4",
        Code.OPINION_CERTAINTY,
        (Put("opinion.verificationStatus.coding[0].code", "differential"),),
    ),
    ("an opinion of no kind", "SEN, disability or both; L4", Code.OPINION_KIND, (Drop("opinion.category"),)),
    ("an opinion in words alone", "coded, so that words reach nobody", Code.OPINION_CODE, (Put("opinion.code", {"text": "talks late"}),)),
    ("a SNOMED CT code, wrong check digit", "Verhoeff", Code.OPINION_CODE, (Put("opinion.code.coding[1]", _snomed("35919006")),)),
    ("a type of need of no list", "DfE list", Code.NEED_CODE_UNKNOWN, (Put("opinion.code.coding[0].code", "XYZ"),)),
    ("a code that denies the need", "mapping table", Code.NEED_CONTRADICTED, (Put("opinion.code.coding[1]", _snomed("700370003")),)),
    ("a risk and no need", "mapping table", Code.NEED_ONLY_RISK, (Put("opinion.code.coding[0]", _snomed("395507008")),)),
    ("an opinion without date", "L2", Code.OPINION_DATE, (Drop("opinion.recordedDate"),)),
    ("a month of opinion", "L2: the day decides", Code.OPINION_DATE, (Put("opinion.recordedDate", "2026-01"),)),
    ("an opinion that is refuted", "section 23(1)", Code.OPINION_NONE_HELD, (Put("opinion.verificationStatus.coding[0].code", "refuted"),)),
    ("an opinion not named by the focus", "MessageDefinition", Code.OPINION_NOT_REFERENCED, (Repeat("opinion"),)),
    ("an act without date", "section 23(2)", Code.ACT_DATE, (Drop("informed.sent"),)),
    ("the clinician informed", "section 23(2)(a)", Code.ACT_RECIPIENT, (Put("informed.recipient[0]", _the_role),)),
    ("an unknown view of the parent", "code list", Code.PARENTAL_VIEW_UNKNOWN, (Put("views.topic", _DELIGHTED),)),
    ("an agreement in words", "true or false", Code.AGREEMENT_VALUE, (Put("focus.extension", _IN_WORDS),)),
    ("a month of first contact", "the day decides", Code.CONTACT_DAY, (Put("focus.extension", _A_MONTH),)),
    ("an opinion on nobody of the message", "one child, one message", Code.SUBJECT, (Put("opinion.subject", {"display": "a child"}),)),
)


def cases() -> Iterator[Case]:
    """Give them."""
    for title, source, code, changes in _FAULTS:
        yield bad(GROUP, title, source, code, *changes)
