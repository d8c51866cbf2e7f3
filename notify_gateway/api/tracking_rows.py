# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: searching Tasks, what authorities tell the trust, the definitions for everybody."""

from __future__ import annotations

from notify_gateway.api.http import FHIR_JSON, FORMAT, FORMATS
from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.domain.catalogue import Code
from notify_gateway.fhir.definitions import TYPES
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, TRUST_SCOPE

SEARCH_FAULTS = (Code.PARAMETER_INVALID, Code.PARAMETER_UNKNOWN)
NO_DELIVERY = {404: (Code.DELIVERY_UNKNOWN,)}
DELIVERY = {"delivery_id": {"type": "string", "format": "uuid"}}
STEP_FAULTS = (400, 404, 408, 409, 413, 415, 422)
UNCHANGED = Answer("What you have is what there is.", media=None, headers=("ETag", "Cache-Control"))


def _step(meaning: str, body: str, example: dict[str, str], codes: tuple[Code, ...]) -> Endpoint:
    return Endpoint(
        "problem",
        {200: Answer(meaning, "DeliveryState")},
        STEP_FAULTS,
        scope=AUTHORITY_SCOPE,
        body=Body(body, examples={"an example": example}),
        codes={**NO_DELIVERY, 409: (Code.DELIVERY_STATE, Code.DELIVERY_REPLACED), 422: codes},
        parameters=DELIVERY,
    )


def _kept(meaning: str, schema: str) -> dict[int, Answer]:
    return {200: Answer(meaning, schema, FHIR_JSON, ("ETag", "Cache-Control")), 304: UNCHANGED}


TASKS = {
    ("GET", "/fhir/R4/Task"): Endpoint(
        "fhir",
        {200: Answer("The sender's own Tasks, those that changed the longest ago first.", "Searchset", FHIR_JSON)},
        (400, 406),
        scope=TRUST_SCOPE,
        codes={400: (*SEARCH_FAULTS, Code.SEARCH_BY_POST)},
        query={
            "_lastUpdated": {"type": "string", "description": "A date or an instant, with a prefix such as `ge`."},
            "_count": {"type": "integer", "minimum": 1},
            "_page": {"type": "string", "description": "Of a `next` link."},
            FORMAT: {"type": "string", "enum": list(FORMATS)},
        },
    ),
    ("POST", "/fhir/R4/Task/_search"): Endpoint(
        "fhir",
        {200: Answer("The sender's own Tasks that were asked for.", "Searchset", FHIR_JSON)},
        (400, 406, 408, 413, 415),
        scope=TRUST_SCOPE,
        body=Body("TaskSearch", "application/x-www-form-urlencoded"),
        codes={400: (*SEARCH_FAULTS, Code.SEARCH_BY_POST)},
    ),
}

FEEDBACK = {
    ("POST", "/authority/v1/deliveries/{delivery_id}/contacted"): _step(
        "The trust sees that the family was contacted.", "Contact", {"on": "2026-11-24"}, (Code.STEP_DATE,)
    ),
    ("POST", "/authority/v1/deliveries/{delivery_id}/outcome"): _step(
        "The trust sees what came of it.",
        "Outcome",
        {"outcome": "early-years-support", "on": "2026-12-04"},
        (Code.OUTCOME_UNKNOWN, Code.STEP_DATE),
    ),
    ("POST", "/authority/v1/deliveries/{delivery_id}/send-back"): _step(
        "The trust sees that the child is not the authority's.",
        "SentBack",
        {"reason": "moved", "suggested_authority": "E06000002"},
        (Code.SEND_BACK_REASON, Code.SUGGESTED_AUTHORITY),
    ),
    ("GET", "/authority/v1/deliveries/{delivery_id}/state"): Endpoint(
        "problem",
        {200: Answer("Where the delivery stands.", "DeliveryState")},
        (404, 409),
        scope=AUTHORITY_SCOPE,
        codes=NO_DELIVERY,
        parameters=DELIVERY,
    ),
}

DEFINITIONS = {
    ("GET", "/fhir/R4/metadata"): Endpoint("fhir", _kept("What this deployment does.", "CapabilityStatement"), (406,)),
    **{
        ("GET", f"/fhir/R4/{kind}"): Endpoint(
            "fhir", _kept("The definitions that were asked for.", "Searchset"), (400, 406), codes={400: SEARCH_FAULTS}
        )
        for kind in TYPES
    },
    **{
        ("GET", f"/fhir/R4/{kind}/{{definition_id}}"): Endpoint(
            "fhir", _kept("The definition.", "Definition"), (404, 406), codes={404: (Code.DEFINITION_NOT_SERVED,)}
        )
        for kind in TYPES
    },
}
