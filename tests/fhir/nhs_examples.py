# SPDX-License-Identifier: MIT
"""Resources and messages in the shapes of the public NHS examples (UK Core, BaRS, NEMS), written anew about people who do not exist.

The published files themselves are not part of this repository; ``python -m tests.fhir.judge_examples FOLDER`` judges a checkout of them.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
EXTENSION = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
SYSTEM = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
BARS_ODS = "https://fhir.nhs.uk/id/ods-organization-code"
EVENTS = "https://fhir.nhs.uk/CodeSystem/message-events-bars"
REASONS = "https://fhir.nhs.uk/CodeSystem/message-reason-bars"
VERIFIED = f"{SYSTEM}NHSNumberVerificationStatusEngland"
BIRTH_TIME = {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "2022-11-03T11:11:00Z"}
WHEN = "2026-01-14T10:15:00.1234567+00:00"


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _extension(name: str, **value: Any) -> Json:
    return {"url": f"{EXTENSION}{name}", **value}


def _resource(kind: str, **elements: Any) -> Json:
    narrative = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>An <b>invented</b> example</p></div>'}
    return {"resourceType": kind, "id": f"{kind}-1", "meta": {"profile": [f"{PROFILE}{kind}"]}, "text": narrative, **elements}


def _named(family: str, *given: str, **more: Any) -> list[Json]:
    return [{"use": "official", "family": family, "given": list(given), **more}]


DEATH_STATUS = _extension(
    "DeathNotificationStatus",
    extension=[
        {"url": "deathNotificationStatus", "valueCodeableConcept": _concept(f"{SYSTEM}DeathNotificationStatus", "2", "Formal")},
        {"url": "systemEffectiveDate", "valueDateTime": "2026-01-01"},
    ],
)
PATIENT = _resource(
    "Patient",
    extension=[
        _extension("BirthSex", valueCodeableConcept=_concept(f"{SYSTEM}BirthSex", "F", "Female")),
        _extension("EthnicCategory", valueCodeableConcept=_concept(f"{SYSTEM}EthnicCategoryEngland", "M", "Black Caribbean")),
        _extension("ResidentialStatus", valueCodeableConcept=_concept(f"{SYSTEM}ResidentialStatus", "H", "UK resident")),
        DEATH_STATUS,
    ],
    identifier=[
        {
            "extension": [
                _extension(
                    "NHSNumberVerificationStatus", valueCodeableConcept=_concept(f"{SYSTEM}NHSNumberVerificationStatusEngland", "01", "x")
                )
            ],
            "system": "https://fhir.nhs.uk/Id/nhs-number",
            "value": "9990548609",
        },
        {"system": "https://trust.example/Id/hospital-number", "value": "H-1", "period": {"start": "2022"}},
    ],
    active=True,
    name=_named("QUILLFEATHER", "Ottoline", "May", period={"start": "2022-11-03"}),
    telecom=[{"system": "phone", "value": "01632 960001", "use": "home", "rank": 1}],
    gender="female",
    birthDate="2022-11-03",
    _birthDate={
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "2022-11-03T11:11:00Z"}]
    },
    address=[
        {
            "extension": [
                _extension(
                    "AddressKey",
                    extension=[
                        {"url": "type", "valueCodeableConcept": _concept(f"{SYSTEM}AddressKeyType", "PAF", "Postcode Address File")},
                        {"url": "value", "valueString": "12345678"},
                    ],
                )
            ],
            "use": "home",
            "line": ["1 Larkspur Lane"],
            "city": "Stockton-on-Tees",
            "postalCode": "TS18 1LD",
        }
    ],
    multipleBirthInteger=2,
    contact=[
        {
            "extension": [_extension("ContactRank", valuePositiveInt=1)],
            "relationship": [_concept("http://terminology.hl7.org/CodeSystem/v2-0131", "N", "Next-of-Kin")],
            "name": {"family": "Quillfeather", "given": ["Ignatius"]},
        }
    ],
    communication=[{"language": _concept(f"{SYSTEM}HumanLanguage", "q4", "British Sign Language"), "preferred": True}],
    generalPractitioner=[{"type": "Organization", "identifier": {"system": ODS, "value": "A99999"}}],
)
BABY = _resource(
    "Patient",
    name=[{"text": "Baby Quillfeather"}],
    birthDate="2026-01",
    _gender={"extension": [{"url": f"{EXTENSION}X", "valueCode": "a"}]},
)
ORGANIZATION = _resource(
    "Organization",
    extension=[_extension("MainLocation", valueReference={"display": "Main site"})],
    identifier=[{"system": BARS_ODS, "value": "RXX"}, {"system": "https://fhir.nhs.uk/Id/ods-site-code", "value": "RXX01"}],
    type=[{"text": "NHS Trust"}],
    name="Example Community NHS Trust",
    contact=[{"purpose": {"text": "enquiries"}, "telecom": [{"system": "email", "value": "desk@trust.example"}]}],
)
PRACTITIONER = _resource(
    "Practitioner",
    identifier=[{"system": "https://fhir.nhs.uk/Id/sds-user-id", "value": "999999999998"}],
    name=_named("Thistlewood", "Perpetua", prefix=["Dr"]),
    qualification=[{"code": {"text": "MB BS"}, "issuer": {"display": "General Medical Council"}, "period": {"start": "2001-07"}}],
)
ROLE = _resource(
    "PractitionerRole", code=[_concept(f"{SYSTEM}SDSJobRoleName", "R0050", "Consultant")], availableTime=[{"daysOfWeek": ["mon"]}]
)
RELATED = _resource(
    "RelatedPerson",
    extension=[_extension("CopyCorrespondenceIndicator", valueBoolean=True)],
    patient={"display": "Ottoline"},
    relationship=[_concept("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "GRMTH", "grandmother")],
    name=_named("Quillfeather", "Wilhelmina"),
    period={"start": "2022-11-03"},
)
CONDITION = _resource(
    "Condition",
    extension=[_extension("ConditionEpisode", valueCodeableConcept=_concept(f"{SYSTEM}ConditionEpisodicity", "new", "New"))],
    clinicalStatus=_concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
    severity=_concept("http://snomed.info/sct", "24484000", "Severe"),
    code=_concept("http://snomed.info/sct", "280032002", "Developmental language disorder"),
    bodySite=[_concept("http://snomed.info/sct", "117590005", "Ear structure")],
    subject={"display": "Ottoline"},
    onsetAge={"value": 2.5, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"},
    evidence=[{"detail": [{"display": "Hearing test"}]}],
)
OBSERVATION = _resource(
    "Observation",
    status="final",
    category=[_concept("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs")],
    code=_concept("http://snomed.info/sct", "1153637007", "Body height"),
    subject={"display": "Ottoline"},
    effectiveDateTime="2026-01-09T09:00:00+00:00",
    component=[{"code": {"text": "standing"}, "valueQuantity": {"value": 95.50, "unit": "cm", "comparator": "<"}}],
    referenceRange=[{"low": {"value": 88}, "high": {"value": 103}, "text": "centiles"}],
)
ENCOUNTER = _resource(
    "Encounter",
    extension=[_extension("OutcomeOfAttendance", valueCodeableConcept=_concept(f"{SYSTEM}OutcomeOfAttendance", "1", "Discharged"))],
    status="finished",
    **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
    period={"start": "2026-01-09T09:00:00Z", "end": "2026-01-09T09:40:00Z"},
)
LOCATION = _resource("Location", status="active", name="Clinic 4", position={"longitude": -1.31, "latitude": 54.57})
SERVICE = _resource("HealthcareService", active=True, name="Community paediatrics", availableTime=[{"allDay": True}])
COMMUNICATION = _resource(
    "Communication",
    status="completed",
    category=[_concept("http://terminology.hl7.org/CodeSystem/communication-category", "notification", "Notification")],
    subject={"display": "Ottoline"},
    sent=WHEN,
    payload=[{"contentString": "Came to the clinic."}],
)
PROVENANCE = _resource("Provenance", target=[{"display": "the record"}], recorded=WHEN, agent=[{"who": {"display": "P. Thistlewood"}}])
SERVICE_REQUEST = _resource(
    "ServiceRequest",
    extension=[_extension("SourceOfServiceRequest", valueCodeableConcept={"text": "clinic"})],
    status="active",
    intent="order",
    _priority={"extension": [_extension("PriorityReason", valueCodeableConcept={"text": "waits long"})]},
    priority="urgent",
    subject={"display": "Ottoline"},
)
CONSENT = _resource(
    "Consent",
    status="active",
    scope={"text": "sharing"},
    category=[{"text": "consent"}],
    policyRule={"text": "OPTIN"},
    patient={"display": "Ottoline"},
)
DOCUMENT = _resource("DocumentReference", status="current", content=[{"attachment": {"contentType": "application/pdf", "title": "Plan"}}])

CARRIED = (
    *(PATIENT, BABY, ORGANIZATION, PRACTITIONER, ROLE, RELATED, CONDITION, OBSERVATION, ENCOUNTER, LOCATION, SERVICE),
    *(COMMUNICATION, PROVENANCE, SERVICE_REQUEST, CONSENT, DOCUMENT),
)
"""Resources of kinds that a notification may carry."""

NOT_CARRIED = tuple(
    _resource(kind, **elements)
    for kind, elements in {
        "AllergyIntolerance": {"patient": {"display": "Ottoline"}},
        "Appointment": {"status": "booked", "participant": [{"status": "accepted"}]},
        "CarePlan": {"status": "active", "intent": "plan", "subject": {"display": "Ottoline"}},
        "Flag": {"status": "active", "code": {"text": "allergy"}, "subject": {"display": "Ottoline"}},
        "MedicationRequest": {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "x"},
            "subject": {"display": "O"},
        },
        "Questionnaire": {"status": "active", "item": [{"linkId": "1", "type": "string"}]},
        "Slot": {"status": "free", "schedule": {"display": "s"}, "start": WHEN, "end": WHEN},
        "Task": {"status": "requested", "intent": "order"},
    }.items()
)
"""Resources of kinds that it may not carry."""


def _entries(*resources: Json) -> list[Json]:
    return [{"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{index:012}", "resource": resource} for index, resource in enumerate(resources)]


def _header(event: str, focus: int) -> Json:
    return _resource(
        "MessageHeader",
        eventCoding={"system": EVENTS, "code": event},
        destination=[{"endpoint": "https://receiver.example/FHIR/R4", "receiver": {"identifier": {"system": BARS_ODS, "value": "A99999"}}}],
        sender={"identifier": {"system": BARS_ODS, "value": "RXX"}},
        source={"name": "ExampleEPR", "contact": {"system": "phone", "value": "01632 960002"}, "endpoint": "https://trust.example/fhir"},
        reason=_concept(REASONS, "new", "New"),
        focus=[{"reference": f"urn:uuid:00000000-0000-4000-8000-{focus:012}"}],
        definition="https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-referral",
    )


def bundle(kind: str, *resources: Json, **more: Any) -> Json:
    """Return a Bundle of that type."""
    return {"resourceType": "Bundle", "id": "bundle-1", "type": kind, "timestamp": WHEN, **more, "entry": _entries(*resources)}


REFERRAL = bundle("message", _header("servicerequest-request", 1), SERVICE_REQUEST, PATIENT, ENCOUNTER, ORGANIZATION, PRACTITIONER)
BOOKING = bundle("message", _header("booking-request", 1), NOT_CARRIED[1], PATIENT, NOT_CARRIED[6], SERVICE)
RESPONSE = bundle("message", _header("servicerequest-response", 1), SERVICE_REQUEST, ORGANIZATION)
COLLECTION = bundle("collection", PATIENT, OBSERVATION)
SEARCHSET = bundle("searchset", PATIENT, total=1, link=[{"relation": "self", "url": "https://trust.example/Patient"}])
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "invalid",
            "details": _concept("https://fhir.nhs.uk/Codesystem/http-error-codes", "REC_BAD_REQUEST", "x"),
        }
    ],
}


def text(document: Json) -> bytes:
    """Return the document as it goes over the wire."""
    return json.dumps(document, ensure_ascii=False).encode()
