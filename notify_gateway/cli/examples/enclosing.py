# SPDX-License-Identifier: MIT
"""What may travel with a notification: a report, ASQ-3 scores, and the request that a service become involved, with its own agreement."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final
from uuid import uuid4

from notify_gateway.cli.examples.draft import Draft
from notify_gateway.fhir import names

REPORT: Final = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""
"""An empty page."""

_CONSENT_CATEGORY = {"coding": [{"system": "http://loinc.org", "code": "59284-0", "display": "Patient Consent"}]}
_CONSENT_ACTION = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "disclose"}]}
_POLICY_RULE = {"text": "Agreed with the family at the clinic."}


def with_report(draft: Draft, title: str, content: bytes = REPORT, media_type: str = "application/pdf") -> Draft:
    """Attach a letter or report."""
    attachment = {"contentType": media_type, "data": b64encode(content).decode(), "title": title, "creation": _day(draft, -5)}
    resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": "Report"},
        "subject": _to(draft, "patient", "Patient"),
        "content": [{"attachment": attachment}],
    }
    return _with(draft, "report", resource)


def with_score(draft: Draft, domain: str, score: float, month: int = 27) -> Draft:
    """Add the score of one domain of an ASQ-3 questionnaire."""
    resource = {
        "resourceType": "Observation",
        "extension": [{"url": names.ASQ_3_MONTH, "valuePositiveInt": month}],
        "status": "final",
        "code": {"coding": [{"system": names.ASQ_3_DOMAIN, "code": domain, "display": names.ASQ_3_DOMAINS[domain]}]},
        "subject": _to(draft, "patient", "Patient"),
        "effectiveDateTime": _day(draft, -6),
        "valueQuantity": {"value": score},
    }
    return _with(draft, f"score_{domain.replace('-', '_')}", resource)


def asking_for(draft: Draft, service: str) -> Draft:
    """Add part 2: a service is asked to become involved, and the first carer agrees to that."""
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "proposal",
        "code": {"text": service},
        "subject": _to(draft, "patient", "Patient"),
        "authoredOn": _day(draft, -2),
    }
    _with(draft, "request", request)
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": names.CONSENT_SCOPE, "code": "treatment"}]},
        "category": [_CONSENT_CATEGORY],
        "patient": _to(draft, "patient", "Patient"),
        "dateTime": _day(draft, -2),
        "performer": [_to(draft, "carer", "RelatedPerson")],
        "policyRule": _POLICY_RULE,
        "provision": {
            "type": "permit",
            "action": [_CONSENT_ACTION],
            "data": [{"meaning": "instance", "reference": _to(draft, "request", "ServiceRequest")}],
        },
    }
    return _with(draft, "consent", consent)


def _to(draft: Draft, place: str, kind: str) -> dict[str, str]:
    return {"reference": draft.url(place), "type": kind}


def _day(draft: Draft, after: int) -> str:
    return draft.day(after).isoformat()


def _with(draft: Draft, place: str, resource: dict[str, Any]) -> Draft:
    draft.document["entry"].append({"fullUrl": f"urn:uuid:{uuid4()}", "resource": resource})
    draft.at[place] = resource
    return draft
