# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: devices of authorities that hold their own keys, and what is handed to them."""

from __future__ import annotations

from collections.abc import Mapping

from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.api.schemas import Schema
from notify_gateway.domain.catalogue import Code

TEXT: Schema = {"type": "string"}
REFERENCE = {"reference": TEXT}
FIRST = Answer("Sign in first.", media=None, headers=("Location",))
CODES = {
    400: (Code.PARAMETER_INVALID,),
    401: (Code.TOKEN_MISSING,),
    403: (Code.FORM_NOT_OURS, Code.SCOPE_MISSING, Code.STAFF_STEP_UP, Code.SECOND_PERSON_NEEDED),
    404: (Code.DEVICE_UNKNOWN, Code.DELIVERY_UNKNOWN, Code.PROPOSAL_UNKNOWN, Code.KEY_UNKNOWN),
    409: (
        Code.CUSTODY_MANAGED,
        Code.RECOVERY_KEY_MISSING,
        Code.WORKING_KEYS_TOO_MANY,
        Code.DEVICE_NOT_LIVE,
        Code.NOT_FOR_THIS_DEVICE,
        Code.DRILL_ANSWER,
        Code.FINGERPRINT_DIFFERS,
        Code.KEY_KNOWN,
        Code.KEY_NOT_HELD_HERE,
        Code.DELIVERY_STATE,
        Code.REVEAL_REASON_MISSING,
    ),
    422: (Code.DEVICE_DETAILS,),
}
FORM = "application/x-www-form-urlencoded"


def _page(description: str, parameters: Mapping[str, Schema] | None = None, query: Mapping[str, Schema] | None = None) -> Endpoint:
    answers = {200: Answer(description, media="text/html"), 303: FIRST}
    return Endpoint("problem", answers, (401, 403, 404, 409), codes=CODES, parameters=parameters or {}, query=query or {})


def _form(description: str) -> Endpoint:
    answers = {303: Answer(description, media=None, headers=("Location",))}
    return Endpoint("problem", answers, (400, 401, 403, 404, 408, 409, 413, 415, 422), codes=CODES, body=Body("OperatorForm", FORM))


def _sealed(description: str) -> Endpoint:
    return Endpoint(
        "problem",
        {200: Answer(description, "HandOver"), 303: FIRST},
        (400, 401, 403, 404, 408, 409, 413, 415),
        codes=CODES,
        body=Body("OperatorForm", FORM),
        parameters=REFERENCE,
    )


DEVICES = {
    ("GET", "/devices"): _page("The authority's devices and recovery keys.", query={"done": TEXT}),
    ("POST", "/devices/enrol"): _form("On the list."),
    ("POST", "/devices/approve"): _form("Let in."),
    ("POST", "/devices/end"): _form("Ended."),
    ("POST", "/devices/drill"): _form("Begun."),
    ("GET", "/devices/drill"): Endpoint(
        "problem",
        {200: Answer("The drill's file.", "Drill", headers=("Content-Disposition",)), 303: FIRST},
        (401, 403, 404),
        codes=CODES,
        query={"id": TEXT},
    ),
    ("POST", "/devices/drill/answer"): _form("Passed."),
    ("GET", "/notifications/{reference}/card"): _page("The page that asks why, and opens the card.", parameters=REFERENCE),
    ("GET", "/notifications/{reference}/card/original"): _page("The page that asks why, and opens the original.", parameters=REFERENCE),
    ("POST", "/notifications/{reference}/card/sealed"): _sealed("The sealed card, with the notes; the reason is in the log."),
    ("POST", "/notifications/{reference}/card/file"): Endpoint(
        "problem",
        {200: Answer("The sealed card as a file for the command.", "Delivery", headers=("Content-Disposition",)), 303: FIRST},
        (400, 401, 403, 404, 408, 409, 413, 415, 422),
        codes=CODES | {422: (Code.REVEAL_REASON_MISSING,)},
        body=Body("OperatorForm", FORM),
        parameters=REFERENCE,
    ),
    ("POST", "/notifications/{reference}/card/original/sealed"): _sealed("The sealed original with the card; the reason is in the log."),
}
