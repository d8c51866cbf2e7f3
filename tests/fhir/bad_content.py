# SPDX-License-Identifier: MIT
"""Messages that leave open what a notification must say."""

from __future__ import annotations

from typing import Any

from notify_gateway.domain.catalogue import Code
from tests.fhir.spoiling import (
    CARER,
    CONDITION,
    FOCUS,
    HEADER,
    INFORMED,
    OFFERED,
    PATIENT,
    RECEIVER,
    SECRET,
    SENDER,
    VIEWS,
    Case,
    another,
    at,
    built,
    drop,
    edited,
    gone,
    put,
    wrong,
)
from tests.support.messages import BASE


def _clinician_for_carer(document: dict[str, Any]) -> None:
    """Take the carer out, and let all that led to the carer lead to the clinician."""
    carer, role = document["entry"][7]["fullUrl"], document["entry"][6]["fullUrl"]
    del document["entry"][7]
    for entry in document["entry"][8:]:
        act = entry["resource"]
        for reference in (*act.get("recipient", ()), act["sender"]):
            if reference["reference"] == carer:
                reference.update(reference=role, type="PractitionerRole")


MESSAGE = [
    wrong("another event", Code.EVENT_UNKNOWN, f"{HEADER}.eventCoding.code", "servicerequest-request", where=f"{HEADER}.event"),
    wrong(
        "another event system",
        Code.EVENT_UNKNOWN,
        f"{HEADER}.eventCoding.system",
        "https://fhir.nhs.uk/CodeSystem/message-events-bars",
        where=f"{HEADER}.event",
    ),
    gone("no definition", Code.DEFINITION_UNKNOWN, f"{HEADER}.definition"),
    wrong(
        "a definition without version",
        Code.DEFINITION_UNKNOWN,
        f"{HEADER}.definition",
        f"{BASE}/MessageDefinition/early-years-send-notification",
    ),
    wrong(
        "a definition of the future",
        Code.DEFINITION_UNKNOWN,
        f"{HEADER}.definition",
        f"{BASE}/MessageDefinition/early-years-send-notification|2.0.0",
    ),
    wrong("another definition", Code.DEFINITION_UNKNOWN, f"{HEADER}.definition", "https://example.org/MessageDefinition/x|1.0.0"),
    gone("no reason", Code.REASON_UNKNOWN, f"{HEADER}.reason"),
    wrong("an unknown reason", Code.REASON_UNKNOWN, f"{HEADER}.reason.coding[0].code", SECRET, where=f"{HEADER}.reason"),
    wrong(
        "two reasons",
        Code.REASON_UNKNOWN,
        f"{HEADER}.reason.coding[1]",
        {"system": f"{BASE}/CodeSystem/message-reason", "code": "delete"},
        where=f"{HEADER}.reason",
    ),
    gone("no message id", Code.MESSAGE_ID, f"{HEADER}.id"),
    wrong("a message id that is no UUID", Code.MESSAGE_ID, f"{HEADER}.id", "message-1"),
    gone("no lastUpdated", Code.VERSION_TIME, f"{HEADER}.meta.lastUpdated"),
    gone("no meta on the header", Code.VERSION_TIME, f"{HEADER}.meta", where=f"{HEADER}.meta.lastUpdated"),
    gone("no source contact", Code.SOURCE_CONTACT, f"{HEADER}.source.contact"),
    gone("no focus", Code.FOCUS, f"{HEADER}.focus"),
    Case(
        "two foci",
        edited(lambda d: d["entry"][0]["resource"]["focus"].append(d["entry"][0]["resource"]["focus"][0])),
        Code.TOO_MANY,
        at(f"{HEADER}.focus"),
    ),
    Case(
        "the focus is the Patient",
        edited(lambda d: d["entry"][0]["resource"].update(focus=[{"reference": d["entry"][2]["fullUrl"]}])),
        Code.FOCUS,
        at(f"{HEADER}.focus"),
    ),
    Case(
        "the focus is another act",
        edited(lambda d: d["entry"][0]["resource"].update(focus=[{"reference": d["entry"][9]["fullUrl"]}])),
        Code.FOCUS,
        at(f"{HEADER}.focus"),
    ),
    Case(
        "two destinations",
        edited(lambda d: d["entry"][0]["resource"]["destination"].append({"endpoint": "https://example.org"})),
        Code.TOO_MANY,
        at(f"{HEADER}.destination"),
    ),
    gone("no business identifier", Code.BUSINESS_IDENTIFIER, f"{FOCUS}.identifier"),
    gone("a business identifier without system", Code.BUSINESS_IDENTIFIER, f"{FOCUS}.identifier[0].system", where=f"{FOCUS}.identifier"),
    gone("a business identifier without value", Code.BUSINESS_IDENTIFIER, f"{FOCUS}.identifier[0].value", where=f"{FOCUS}.identifier"),
    wrong(
        "two business identifiers",
        Code.BUSINESS_IDENTIFIER,
        f"{FOCUS}.identifier[1]",
        {"system": "https://rxx.nhs.uk/Id/other", "value": "2"},
        where=f"{FOCUS}.identifier",
    ),
    wrong("a notification in preparation", Code.FOCUS_STATUS, f"{FOCUS}.status", "preparation"),
    wrong("a new notification that was stopped", Code.FOCUS_STATUS, f"{FOCUS}.status", "stopped"),
    wrong("a new notification entered in error", Code.FOCUS_STATUS, f"{FOCUS}.status", "entered-in-error"),
    gone("no time of sending", Code.SENT_TIME, f"{FOCUS}.sent"),
    wrong("a day of sending without time", Code.SENT_TIME, f"{FOCUS}.sent", "2026-01-14"),
    gone("a sender without identifier", Code.SENDER_ODS, f"{SENDER}.identifier"),
    wrong(
        "a sender with two ODS codes",
        Code.SENDER_ODS,
        f"{SENDER}.identifier[1]",
        {"system": "https://fhir.nhs.uk/id/ods-organization-code", "value": "RYY"},
        where=f"{SENDER}.identifier",
    ),
    wrong(
        "a sender with a name for a code", Code.SENDER_ODS, f"{SENDER}.identifier[0].value", "Example Trust", where=f"{SENDER}.identifier"
    ),
    wrong(
        "a sender known by another system",
        Code.SENDER_ODS,
        f"{SENDER}.identifier[0].system",
        "https://example.org/id",
        where=f"{SENDER}.identifier",
    ),
    gone("no sender", Code.SENDER_ODS, f"{HEADER}.sender", where=f"{HEADER}.sender.identifier"),
    gone("a receiver without identifier", Code.RECEIVER_NAME, f"{RECEIVER}.identifier"),
    wrong("a receiver by a name", Code.RECEIVER_NAME, f"{RECEIVER}.identifier[0].value", "Stockton", where=f"{RECEIVER}.identifier"),
    Case(
        "an unknown reason for the receiver", built(lambda m: m.because("because")), Code.RECEIVER_REASON_UNKNOWN, at(f"{HEADER}.extension")
    ),
    Case("no sending role", edited(drop(f"{FOCUS}.sender")), Code.SENDER_ROLE, at(f"{FOCUS}.sender")),
    Case("two children", edited(another(2)), Code.TOO_MANY, "Bundle.entry[12].resource"),
    Case(
        "a carer for another child",
        edited(put(f"{CARER}.patient", {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}})),
        Code.SUBJECT,
        at(f"{CARER}.patient"),
    ),
    Case("an opinion on another child", edited(put(f"{CONDITION}.subject", {"display": SECRET})), Code.SUBJECT, at(f"{CONDITION}.subject")),
    Case("a notification about nobody", edited(drop(f"{FOCUS}.subject")), Code.SUBJECT, at(f"{FOCUS}.subject")),
    gone("a child without name", Code.CHILD_NAME, f"{PATIENT}.name"),
    wrong("a child with a given name alone", Code.CHILD_NAME, f"{PATIENT}.name", [{"given": ["A"]}]),
    gone("no date of birth", Code.BIRTH_DATE, f"{PATIENT}.birthDate"),
    wrong("a year of birth", Code.BIRTH_DATE, f"{PATIENT}.birthDate", "2022"),
    wrong("a month of birth", Code.BIRTH_DATE, f"{PATIENT}.birthDate", "2022-11"),
    wrong("an NHS number with a wrong check digit", Code.NHS_NUMBER_INVALID, f"{PATIENT}.identifier[0].value", "9990548608"),
    wrong("an NHS number of nine digits", Code.NHS_NUMBER_INVALID, f"{PATIENT}.identifier[0].value", "999054860"),
    wrong("an NHS number with spaces", Code.NHS_NUMBER_INVALID, f"{PATIENT}.identifier[0].value", "999 054 8609"),
    wrong("an NHS number in Arabic digits", Code.NHS_NUMBER_INVALID, f"{PATIENT}.identifier[0].value", "٩٩٩٠٥٤٨٦٠٩"),
    gone("an NHS number without value", Code.NHS_NUMBER_INVALID, f"{PATIENT}.identifier[0].value"),
    gone("neither number nor reason", Code.NHS_NUMBER_MISSING, f"{PATIENT}.identifier"),
    Case(
        "a reason without local identifier",
        edited(
            drop(f"{PATIENT}.identifier"),
            put(
                f"{PATIENT}.extension[1]",
                {
                    "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberUnavailableReason",
                    "valueCodeableConcept": {"coding": [{"code": "a"}]},
                },
            ),
        ),
        Code.LOCAL_IDENTIFIER_MISSING,
        at(f"{PATIENT}.identifier"),
    ),
    wrong(
        "two NHS numbers",
        Code.NHS_NUMBER_TWO,
        f"{PATIENT}.identifier[1]",
        {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
    ),
    wrong(
        "an unknown verification status",
        Code.NHS_NUMBER_STATUS,
        f"{PATIENT}.identifier[0].extension[0].valueCodeableConcept.coding[0].code",
        "09",
        where=f"{PATIENT}.identifier[0].extension",
    ),
    Case("no carer", edited(_clinician_for_carer), Code.TOO_FEW, "Bundle.entry.resource.ofType(RelatedPerson)"),
    gone("a carer without name", Code.CARER_NAME, f"{CARER}.name"),
    gone("an opinion without certainty", Code.OPINION_CERTAINTY, f"{CONDITION}.verificationStatus"),
    wrong(
        "an opinion that is only differential",
        Code.OPINION_CERTAINTY,
        f"{CONDITION}.verificationStatus.coding[0].code",
        "differential",
        where=f"{CONDITION}.verificationStatus",
    ),
    wrong(
        "an opinion that is unconfirmed",
        Code.OPINION_CERTAINTY,
        f"{CONDITION}.verificationStatus.coding[0].code",
        "unconfirmed",
        where=f"{CONDITION}.verificationStatus",
    ),
    gone("an opinion of no kind", Code.OPINION_KIND, f"{CONDITION}.category"),
    wrong(
        "an opinion of an unknown kind", Code.OPINION_KIND, f"{CONDITION}.category[0].coding[0].code", SECRET, where=f"{CONDITION}.category"
    ),
    gone("an opinion without code", Code.OPINION_CODE, f"{CONDITION}.code"),
    wrong("an opinion in words alone", Code.OPINION_CODE, f"{CONDITION}.code", {"text": SECRET}),
    wrong("a name for a SEN type", Code.OPINION_CODE, f"{CONDITION}.code.coding[0].code", SECRET, where=f"{CONDITION}.code"),
    wrong(
        "a SNOMED CT code with a wrong check digit",
        Code.OPINION_CODE,
        f"{CONDITION}.code.coding[1]",
        {"system": "http://snomed.info/sct", "code": "35919006"},
        where=f"{CONDITION}.code",
    ),
    wrong("a SEN type of no table", Code.NEED_CODE_UNKNOWN, f"{CONDITION}.code.coding[0].code", "XYZ", where=CONDITION),
    wrong(
        "a code that denies the need",
        Code.NEED_CONTRADICTED,
        f"{CONDITION}.code.coding[1]",
        {"system": "http://snomed.info/sct", "code": "700370003"},
        where=CONDITION,
    ),
    wrong(
        "a risk and no need",
        Code.NEED_ONLY_RISK,
        f"{CONDITION}.code.coding[0]",
        {"system": "http://snomed.info/sct", "code": "395507008"},
        where=CONDITION,
    ),
    gone("an opinion without date", Code.OPINION_DATE, f"{CONDITION}.recordedDate"),
    wrong("a month of opinion", Code.OPINION_DATE, f"{CONDITION}.recordedDate", "2026-01"),
    wrong(
        "a partial asserted date",
        Code.OPINION_DATE,
        f"{CONDITION}.extension",
        [{"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate", "valueDateTime": "2026"}],
    ),
    wrong(
        "an opinion that was refuted",
        Code.OPINION_NONE_HELD,
        f"{CONDITION}.verificationStatus.coding[0].code",
        "refuted",
        where=f"{FOCUS}.reasonReference",
    ),
    gone("an opinion that is not notified", Code.OPINION_NOT_REFERENCED, f"{FOCUS}.reasonReference"),
    gone("an act without date", Code.ACT_DATE, f"{INFORMED}.sent"),
    wrong("an act dated by its month", Code.ACT_DATE, f"{OFFERED}.sent", "2026-01"),
    gone("an act towards nobody", Code.ACT_RECIPIENT, f"{INFORMED}.recipient"),
    Case(
        "the clinician informed",
        edited(lambda d: d["entry"][9]["resource"].update(recipient=[{"reference": d["entry"][6]["fullUrl"]}])),
        Code.ACT_RECIPIENT,
        at(f"{INFORMED}.recipient"),
    ),
    gone("a view of nobody", Code.ACT_RECIPIENT, f"{VIEWS}.sender"),
    Case("an unknown view", built(lambda m: m.view("delighted")), Code.PARENTAL_VIEW_UNKNOWN, at(f"{VIEWS}.topic")),
    wrong(
        "an agreement in words",
        Code.AGREEMENT_VALUE,
        f"{FOCUS}.extension",
        [{"url": f"{BASE}/StructureDefinition/parent-agreed-to-share", "valueString": "yes"}],
    ),
    wrong(
        "a day of first contact that is far off",
        Code.CONTACT_DAY,
        f"{FOCUS}.extension",
        [{"url": f"{BASE}/StructureDefinition/do-not-contact-before", "valueDate": "2027-02-20"}],
    ),
    wrong(
        "a month of first contact",
        Code.CONTACT_DAY,
        f"{FOCUS}.extension",
        [{"url": f"{BASE}/StructureDefinition/do-not-contact-before", "valueDate": "2026-03"}],
    ),
    Case(
        "a delete without identifier",
        built(lambda m: m.reason("delete").having(drop(f"{FOCUS}.identifier"))),
        Code.BUSINESS_IDENTIFIER,
        at(f"{FOCUS}.identifier"),
    ),
    Case(
        "a delete without sender",
        built(lambda m: m.reason("delete").having(drop(f"{HEADER}.sender"))),
        Code.SENDER_ODS,
        at(f"{HEADER}.sender.identifier"),
    ),
    Case(
        "an update whose focus is in preparation",
        built(lambda m: m.reason("update").having(put(f"{FOCUS}.status", "on-hold"))),
        Code.FOCUS_STATUS,
        at(f"{FOCUS}.status"),
    ),
]
