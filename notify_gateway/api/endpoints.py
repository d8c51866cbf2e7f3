# SPDX-License-Identifier: MIT
"""The table of endpoints: every answer that each of them gives, and what it asks for. A route without a row fails the tests."""

from __future__ import annotations

from notify_gateway.api.device_rows import DEVICES
from notify_gateway.api.inbox_rows import INBOX
from notify_gateway.api.log_rows import LOG
from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.api.operator_rows import OPERATING
from notify_gateway.api.paper_rows import PAPER
from notify_gateway.api.reconciliation_rows import RECONCILIATION
from notify_gateway.api.samples import samples
from notify_gateway.api.schemas import Schema
from notify_gateway.api.staff_rows import ENTRANCE
from notify_gateway.api.tracking_rows import DEFINITIONS, FEEDBACK, TASKS
from notify_gateway.domain.catalogue import Code
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, TRUST_SCOPE

FHIR = "application/fhir+json"
UUID: Schema = {"type": "string", "format": "uuid"}
DELIVERY = {"delivery_id": UUID}
TASK = {"task_id": UUID}
NO_DELIVERY = {404: (Code.DELIVERY_UNKNOWN,)}
NO_TASK = {404: (Code.TASK_UNKNOWN,), 406: (Code.NOT_ACCEPTABLE,)}
READ = (400, 408, 413, 415)
"""What reading a body may end with."""
MESSAGE = Body("NotificationMessage", FHIR, examples=samples()["examples"])


def _page(description: str) -> dict[int, Answer]:
    return {200: Answer(description, media="text/html")}


FOR_TRUSTS = {
    ("POST", "/fhir/R4/$process-message"): Endpoint(
        "fhir",
        {
            202: Answer(
                "Kept, and will be delivered. The acceptance extension holds the promise.", "OperationOutcome", FHIR, ("Location",)
            ),
            409: Answer(
                "Accepted before (`duplicate`, a success; Location is the first Task), or in contradiction to what is held.",
                "OperationOutcome",
                FHIR,
                ("Location",),
            ),
        },
        (*READ, 404, 406, 422, 425),
        scope=TRUST_SCOPE,
        ids=True,
        headers=("Prefer",),
        body=MESSAGE,
        codes={404: (Code.DELETE_UNKNOWN,), 425: (Code.STILL_PROCESSING,)},
    ),
    ("POST", "/fhir/R4/Bundle/$validate"): Endpoint(
        "fhir",
        {200: Answer("How far the message came, and every fault that it has. Nothing was kept.", "OperationOutcome", FHIR)},
        (*READ, 406, 422),
        scope=TRUST_SCOPE,
        body=Body("MessageToTry", FHIR, examples=samples()["examples"]),
    ),
    ("POST", "/fhir/R4/$process-messages"): Endpoint(
        "fhir",
        {200: Answer("What each line came to, and a summary.", "ResultLines", "application/x-ndjson")},
        (*READ, 406),
        scope=TRUST_SCOPE,
        ids=True,
        body=Body("NotificationLines", "application/fhir+ndjson"),
    ),
    ("GET", "/fhir/R4/Task/{task_id}"): Endpoint(
        "fhir", {200: Answer("Where the notification stands.", "Task", FHIR)}, (404, 406), scope=TRUST_SCOPE, codes=NO_TASK, parameters=TASK
    ),
    ("GET", "/fhir/R4/Task/{task_id}/$receipt"): Endpoint(
        "fhir",
        {200: Answer("The leaf of the acceptance and the proof that it is in the log.", "Parameters", FHIR)},
        (404, 406, 410),
        scope=TRUST_SCOPE,
        codes=NO_TASK | {410: (Code.LOG_ENTRIES_DELETED,)},
        parameters=TASK,
    ),
}

FOR_AUTHORITIES = {
    ("GET", "/authority/v1/deliveries"): Endpoint(
        "problem",
        {200: Answer("The oldest that wait.", "Deliveries")},
        (400, 404),
        scope=AUTHORITY_SCOPE,
        codes={400: (Code.PARAMETER_INVALID,), **NO_DELIVERY},
        parameters={"limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "after": UUID},
    ),
    ("GET", "/authority/v1/deliveries/{delivery_id}"): Endpoint(
        "problem",
        {200: Answer("The delivery document.", "Delivery", headers=("Content-Digest",))},
        (404,),
        scope=AUTHORITY_SCOPE,
        codes=NO_DELIVERY,
        parameters=DELIVERY,
    ),
    ("POST", "/authority/v1/deliveries/{delivery_id}/received"): Endpoint(
        "problem",
        {200: Answer("It counts as received.", "DeliveryState")},
        (*READ, 404, 409, 422),
        scope=AUTHORITY_SCOPE,
        body=Body("Confirmation", examples={"a digest": {"digest": "9f" * 32}}),
        codes=NO_DELIVERY,
        parameters=DELIVERY,
    ),
    ("POST", "/authority/v1/deliveries/{delivery_id}/acknowledge"): Endpoint(
        "problem",
        {200: Answer("It counts as taken up.", "DeliveryState")},
        (404, 409),
        scope=AUTHORITY_SCOPE,
        codes=NO_DELIVERY,
        parameters=DELIVERY,
    ),
    ("GET", "/authority/v1/deliveries/{delivery_id}/receipts"): Endpoint(
        "problem",
        {200: Answer("The proofs so far, by step.", "DeliveryReceipts")},
        (404, 410),
        scope=AUTHORITY_SCOPE,
        codes=NO_DELIVERY | {410: (Code.LOG_ENTRIES_DELETED,)},
        parameters=DELIVERY,
    ),
    ("POST", "/authority/v1/deliveries/{delivery_id}/reveal"): Endpoint(
        "problem",
        {200: Answer("The card, opened; that it was is in the log.", "Card")},
        (*READ, 404, 409, 422),
        scope=AUTHORITY_SCOPE,
        body=Body("RevealReason", examples={"a first contact": {"reason": "first-contact", "case_reference": "EY-2026-0412"}}),
        codes=NO_DELIVERY,
        parameters=DELIVERY,
    ),
}

SIGN_IN = {
    ("POST", "/oauth2/token"): Endpoint(
        "problem",
        {
            200: Answer("A bearer token, good for ten minutes.", "AccessToken"),
            **{
                status: Answer(f"{meaning} (RFC 6749 5.2); error_description says what to do.", "SignInError")
                for status, meaning in {
                    400: "The request is not one that the endpoint understands",
                    401: "The client did not prove who it is",
                    408: "The request did not arrive in time",
                    413: "The request is too large",
                    415: "The body is no form",
                    429: "Too many requests",
                    503: "Not now",
                }.items()
            },
        },
        body=Body("TokenRequest", "application/x-www-form-urlencoded"),
    ),
    ("GET", "/fhir/R4/.well-known/smart-configuration"): Endpoint(
        "fhir", {200: Answer("How systems sign in (SMART App Launch).", "SmartConfiguration")}
    ),
}

FOR_EVERYBODY = {
    ("GET", "/_ping"): Endpoint("problem", {200: Answer("The process answers.", "Ping")}),
    ("GET", "/_status"): Endpoint(
        "problem", {200: Answer("All is well.", "Status"), 503: Answer("Something is not; the checks say what.", "Status")}
    ),
    ("GET", "/metrics"): Endpoint("problem", {200: Answer("Prometheus metrics. The proxy does not pass them on.", media="text/plain")}),
    ("GET", "/schemas/view.json"): Endpoint("problem", {200: Answer("The schema of the view.", "JsonSchema")}),
    ("GET", "/openapi.json"): Endpoint("problem", {200: Answer("This document.", "OpenApi")}),
    ("GET", "/"): Endpoint("problem", _page("The front page.")),
    ("GET", "/docs"): Endpoint("problem", _page("The endpoints, one by one.")),
    ("GET", "/errors"): Endpoint(
        "problem",
        _page("The catalogue of errors, or those that were asked for."),
        (400,),
        codes={400: (Code.PARAMETER_INVALID,)},
    ),
    ("POST", "/errors"): Endpoint(
        "problem",
        {
            200: Answer("No code was found in what was pasted.", media="text/html"),
            303: Answer("The page of the code that was found, or the list of several.", media=None, headers=("Location",)),
        },
        (*READ,),
        body=Body("PastedError", "application/x-www-form-urlencoded", examples={"a pasted error": {"error": "HTTP 422, NG-4001"}}),
    ),
    ("GET", "/errors.json"): Endpoint("problem", {200: Answer("The catalogue for machines.", "ErrorCatalogue")}),
    ("GET", "/errors/{code}"): Endpoint(
        "problem", _page("What the error means and how to mend it.") | {404: Answer("There is no such code.", media="text/html")}
    ),
}

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    **FOR_TRUSTS,
    **FOR_AUTHORITIES,
    **SIGN_IN,
    **FOR_EVERYBODY,
    **LOG,
    **RECONCILIATION,
    **TASKS,
    **FEEDBACK,
    **DEFINITIONS,
    **OPERATING,
    **DEVICES,
    **INBOX,
    **PAPER,
    **ENTRANCE,
}
