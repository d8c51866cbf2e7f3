# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: the pages of an authority's inbox. People are told on a page what is refused, machines as everywhere."""

from __future__ import annotations

from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.api.schemas import Schema
from notify_gateway.domain.catalogue import Code

TEXT: Schema = {"type": "string"}
REFERENCE = {"reference": TEXT}
PAIR = {"pair_id": TEXT}
FIRST = Answer("Sign in first.", media=None, headers=("Location",))
CODES = {
    400: (Code.PARAMETER_INVALID,),
    401: (Code.TOKEN_MISSING,),
    403: (Code.FORM_NOT_OURS, Code.SCOPE_MISSING, Code.STAFF_STEP_UP),
    404: (Code.CASE_UNKNOWN, Code.DELIVERY_UNKNOWN, Code.NO_SUCH_PAGE),
    409: (Code.CASE_CHANGED, Code.CASE_WITHDRAWN, Code.CASE_STATE, Code.CASE_DISPUTED, Code.DELIVERY_STATE, Code.KEY_NOT_HELD_HERE),
    422: (Code.CASE_CHOICE, Code.CASE_DAY),
}
FORM = "application/x-www-form-urlencoded"
FILTERS = ("tab", "reference", "status", "need", "age_from", "age_to", "sender", "officer", "received_from", "received_to")
LISTED = (*FILTERS, "late", "new", "sort", "order", "page", "done")


def _page(description: str, *more: int, parameters: dict[str, Schema] | None = None, query: tuple[str, ...] = ()) -> Endpoint:
    answers = {200: Answer(description, media="text/html"), 303: FIRST}
    asked = (400, *more) if query else more
    return Endpoint("problem", answers, (401, 403, *asked), codes=CODES, parameters=parameters or {}, query=dict.fromkeys(query, TEXT))


def _form(description: str, *, parameters: dict[str, Schema] | None = None) -> Endpoint:
    answers = {303: Answer(description, media=None, headers=("Location",))}
    faults = (400, 401, 403, 404, 408, 409, 413, 415, 422)
    return Endpoint("problem", answers, faults, codes=CODES, body=Body("OperatorForm", FORM), parameters=parameters or {})


def _said(description: str) -> Endpoint:
    return Endpoint("problem", {200: Answer(description, media="text/html")}, (), codes=CODES)


_CASE = "/notifications/{reference}"
_FORMS = {
    "acknowledge": ("The form that takes it on.", "Acknowledged."),
    "assign": ("The form that asks whose it shall be.", "Assigned."),
    "contacts/new": ("The form for an attempt to reach the family.", "Recorded."),
    "outcome": ("What came of it, page by page.", "Recorded, and the trust is told."),
    "reopen": ("The form that takes it up again.", "Reopened."),
    "transfer": ("Whose area it may be, then the answers to check.", "Sent back to the trust."),
    "question": ("The questions that a trust can be asked.", "Asked."),
    "extend": ("The form for a later day.", "Extended."),
    "duplicate": ("The form that names another about the same child.", "Linked."),
}
_STEPS = ("step", "version", "form")
_DAYS = tuple(f"{name}-{part}" for name in ("on", "review_on") for part in ("day", "month", "year"))
_ASKED = {"outcome": (*_STEPS, "outcome", *_DAYS), "transfer": (*_STEPS, "reason", "suggested")}

INBOX = {
    ("GET", "/inbox"): _page("The inbox.", query=LISTED),
    ("GET", "/inbox/overdue"): _page("What is late.", query=LISTED),
    ("POST", "/inbox/notices"): _form("Dismissed."),
    ("GET", "/inbox/assign"): _page("What was ticked, and whose it shall be.", 404, query=("case",)),
    ("POST", "/inbox/assign"): _form("All assigned."),
    ("GET", "/inbox/duplicates"): _page("The pairs to decide.", query=("done",)),
    ("GET", "/inbox/duplicates/{pair_id}"): _page("The two side by side.", 400, 404, parameters=PAIR),
    ("POST", "/inbox/duplicates/{pair_id}"): _form("Decided.", parameters=PAIR),
    ("POST", "/inbox/duplicates/{pair_id}/undo"): _form("Undone.", parameters=PAIR),
    ("GET", _CASE): _page("The notification, without identity.", 404, parameters=REFERENCE, query=("done",)),
    ("POST", f"{_CASE}/take"): _form("It is the visitor's.", parameters=REFERENCE),
    ("POST", f"{_CASE}/close"): _form("Closed.", parameters=REFERENCE),
    ("POST", f"{_CASE}/assign/undo"): _form("Undone.", parameters=REFERENCE),
    ("POST", f"{_CASE}/question/take-back"): _form("Taken back.", parameters=REFERENCE),
    **{
        ("GET", f"{_CASE}/{name}"): _page(told, 404, 422, parameters=REFERENCE, query=_ASKED.get(name, ()))
        for name, (told, _) in _FORMS.items()
    },
    **{("POST", f"{_CASE}/{name}"): _form(done, parameters=REFERENCE) for name, (_, done) in _FORMS.items()},
    ("GET", f"{_CASE}/contacts/{{contact_id}}"): _page("The attempt.", 400, 404, parameters=REFERENCE | {"contact_id": TEXT}),
    ("POST", f"{_CASE}/contacts/{{contact_id}}"): _form("Corrected.", parameters=REFERENCE | {"contact_id": TEXT}),
    ("POST", f"{_CASE}/identity"): _form("The reason is in the log.", parameters=REFERENCE),
    ("GET", f"{_CASE}/identity"): _page("The notification with the card.", 404, 409, parameters=REFERENCE),
    ("POST", f"{_CASE}/identity/hide"): _form("Hidden.", parameters=REFERENCE),
    ("GET", f"{_CASE}/identity/original"): _page("The form that asks for a second reason.", 404, parameters=REFERENCE),
    ("POST", f"{_CASE}/identity/original"): Endpoint(
        "problem",
        {200: Answer("The message as it was received.", "NotificationMessage", "application/fhir+json"), 303: FIRST},
        (400, 401, 403, 404, 408, 409, 413, 415, 422),
        codes=CODES,
        body=Body("OperatorForm", FORM),
        parameters=REFERENCE,
    ),
    ("GET", "/team"): _page("The team and the rules.", query=("done",)),
    ("GET", "/team/settings"): _page("The rules, to be changed."),
    ("POST", "/team/settings"): _form("Saved."),
    ("GET", "/team/members/{member_id}/leave"): _page("When a member is away.", 400, 404, parameters={"member_id": TEXT}),
    ("POST", "/team/members/{member_id}/leave"): _form("Saved.", parameters={"member_id": TEXT}),
    ("GET", "/help"): _said("Help."),
    ("GET", "/privacy"): _said("What is kept about whom."),
    ("GET", "/accessibility"): _said("How the pages can be used."),
    ("GET", "/nonprod/components"): Endpoint("problem", {200: Answer("Every component.", media="text/html")}, (404,), codes=CODES),
}
