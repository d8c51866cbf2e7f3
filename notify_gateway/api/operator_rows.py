# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: the operations pages, which answer 404 unless the settings turn them on."""

from __future__ import annotations

from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.api.schemas import Schema
from notify_gateway.domain.catalogue import Code

CODES = {
    401: (Code.TOKEN_MISSING,),
    403: (Code.FORM_NOT_OURS, Code.SCOPE_MISSING),
    404: (Code.NO_SUCH_PAGE, Code.DELIVERY_UNKNOWN, Code.DOWNTIME_UNKNOWN),
    409: (Code.DELIVERY_STATE,),
    422: (Code.DOWNTIME_SPAN,),
}
FIRST = Answer("Sign in first.", media=None, headers=("Location",))
TEXT: Schema = {"type": "string"}


def _page(description: str, *, query: tuple[str, ...] = ()) -> Endpoint:
    answers = {200: Answer(description, media="text/html"), 303: FIRST}
    faults = (401, 404, *((400,) if query else ()))
    return Endpoint("problem", answers, faults, codes=CODES | {400: (Code.PARAMETER_INVALID,)}, query=dict.fromkeys(query, TEXT))


def _form(description: str, *more: int) -> Endpoint:
    answers = {303: Answer(description, media=None, headers=("Location",))}
    return Endpoint(
        "problem",
        answers,
        (400, 401, 403, 404, 408, 413, 415, *more),
        codes=CODES | {400: (Code.PARAMETER_INVALID,)},
        body=Body("OperatorForm", "application/x-www-form-urlencoded"),
    )


OPERATING = {
    ("GET", "/ops/sign-in"): Endpoint("problem", {200: Answer("The form.", media="text/html")}, (404,), codes=CODES),
    ("POST", "/ops/sign-in"): _form("Signed in."),
    ("POST", "/ops/sign-out"): _form("Signed out."),
    ("GET", "/ops"): _page("How the service stands."),
    ("GET", "/ops/queues"): _page("What waits."),
    ("GET", "/ops/failed"): _page("What fails or is parked.", query=("authority", "channel", "code", "standing")),
    ("GET", "/ops/failed/retry"): _page("What a retry would do.", query=("authority", "channel", "code", "standing", "id")),
    ("POST", "/ops/failed/retry"): _form("Queued anew.", 422),
    ("GET", "/ops/failed/item"): _page("One delivery, without what is in it.", query=("id",)),
    ("POST", "/ops/failed/park"): _form("Parked.", 409, 422),
    ("POST", "/ops/failed/give-up"): _form("Given up.", 409, 422),
    ("GET", "/ops/deliveries"): _page("Each authority by each channel."),
    ("GET", "/ops/deliveries/downtime"): _page("The form."),
    ("POST", "/ops/deliveries/downtime"): _form("Planned.", 422),
    ("POST", "/ops/deliveries/downtime/end"): _form("Ended."),
    ("POST", "/ops/deliveries/test"): _form("Tried."),
    ("GET", "/ops/keys"): _page("All keys and tokens, without their secrets."),
    ("GET", "/ops/checks"): _page("What doctor finds."),
    ("GET", "/ops/checks.json"): Endpoint(
        "problem", {200: Answer("What doctor finds.", "Checks"), 303: FIRST}, (401, 403, 404), codes={404: (Code.NO_SUCH_PAGE,)}
    ),
}
