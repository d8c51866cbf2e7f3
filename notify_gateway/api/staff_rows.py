# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: where people sign in and out. What they are refused is told on a page, and to machines as everywhere."""

from __future__ import annotations

from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.api.schemas import Schema
from notify_gateway.domain.catalogue import Code

FIRST = Answer("Sign in first.", media=None, headers=("Location",))
TEXT: Schema = {"type": "string"}
NEXT = {"next": TEXT}
PROVIDER = {"provider_id": TEXT}
REFUSED = (
    Code.STAFF_SIGN_IN_STALE,
    Code.STAFF_SIGN_IN_BROKEN_OFF,
    Code.STAFF_TOKEN_REFUSED,
    Code.STAFF_TENANT,
    Code.STAFF_GROUPS_MISSING,
    Code.STAFF_NO_ROLE,
    Code.STAFF_TWO_ORGANISATIONS,
    Code.STAFF_ASSURANCE,
    Code.STAFF_CLOSED,
)
CODES = {
    401: (Code.TOKEN_MISSING,),
    403: (Code.FORM_NOT_OURS, Code.SCOPE_MISSING),
    404: (Code.NO_SUCH_PAGE,),
    400: (Code.PARAMETER_INVALID,),
}


def _to(description: str) -> Answer:
    return Answer(description, media=None, headers=("Location",))


def page(description: str) -> Endpoint:
    """Return the row of a page for whoever is signed in."""
    return Endpoint("problem", {200: Answer(description, media="text/html"), 303: FIRST}, (401,), codes=CODES)


def form(description: str, *more: int) -> Endpoint:
    """Return the row of a form of a session."""
    answers = {303: _to(description)}
    return Endpoint(
        "problem",
        answers,
        (400, 401, 403, 408, 413, 415, *more),
        codes=CODES,
        body=Body("OperatorForm", "application/x-www-form-urlencoded"),
    )


ENTRANCE = {
    ("GET", "/sign-in"): Endpoint(
        "problem",
        {200: Answer("The choice of identity providers.", media="text/html"), 303: _to("Signed in already.")},
        query=NEXT | {"kept": TEXT, "done": TEXT},
    ),
    ("GET", "/sign-in/with/{provider_id}"): Endpoint(
        "problem", {303: _to("To the identity provider.")}, (404,), codes=CODES, parameters=PROVIDER, query=NEXT
    ),
    ("GET", "/sign-in/callback/{provider_id}"): Endpoint(
        "problem",
        {303: _to("Signed in.")},
        (403,),
        codes={403: REFUSED},
        parameters=PROVIDER,
        query={"state": TEXT, "code": TEXT, "iss": TEXT, "error": TEXT},
    ),
    ("GET", "/sign-in/again"): Endpoint(
        "problem", {303: _to("To the identity provider, or to the sign-in page.")}, (401, 404), codes=CODES, query=NEXT
    ),
    ("GET", "/sign-in/continue"): page("What was typed when the session ended."),
    ("POST", "/sign-in/discard"): form("Forgotten."),
    ("GET", "/account"): page("Who is signed in, and where."),
    ("GET", "/still-here"): Endpoint("problem", {204: Answer("The session goes on.", media=None), 303: FIRST}, (401,), codes=CODES),
    ("POST", "/sign-out"): form("Signed out."),
    ("POST", "/sign-out/everywhere"): form("Signed out everywhere."),
}
