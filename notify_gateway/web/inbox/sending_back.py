# SPDX-License-Identifier: MIT
"""Not in our area: why, whose it may be, the answers checked, then back to the trust, which sends it again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.feedback import SendBackReason
from notify_gateway.domain.policy import Act
from notify_gateway.use_cases.inbox import send_back
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.use_cases.inbox.send_back import Suggestion
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import MOST_VERSION, VERSION, Form, Option, Reading, new_form, whole
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.case_presenter import Fact, Head, head
from notify_gateway.web.inbox.desk import find, gateway_of, perform, see_case, status_of
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])
NOT_KNOWN: Final = "not-known"
FAULTS: Final = {Code.SUGGESTED_AUTHORITY: ("suggested", "Select another council from the list")}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingBack:
    """The form."""

    head: Head
    trust: str
    reasons: tuple[Option, ...]
    councils: tuple[Option, ...]
    disputed: bool
    may: bool
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckingBack:
    """The answers, before it leaves the authority."""

    head: Head
    answers: tuple[Fact, ...]
    warnings: tuple[str, ...]
    button: str
    form: Form


@router.get("/notifications/{reference}/transfer", response_class=Response)
async def ask_whose_area(request: Request, reference: str) -> Response:
    """Ask why the child is not in the area, and whose it may be; then show the answers to be checked."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    given = dict(request.query_params)
    version = whole(given[VERSION], MOST_VERSION) if given.get(VERSION) else case.row.version
    councils = await asyncio.to_thread(send_back.suggestions, gateway_of(request), visit.person)
    if given.get("step") != "check":
        return _page(request, visit, case, councils, new_form(visit.form_token, version=version, values=given))
    reading = Reading(given)
    reason, suggested = _answers(reading, councils)
    if reading.faults or reason is None:
        made = reading.again(visit.form_token)
        form = Form(token=visit.form_token, carried=((VERSION, str(version)),), values=made.values, faults=made.faults)
        return _page(request, visit, case, councils, form)
    return _check(request, visit, case, reason, suggested, new_form(visit.form_token, version=version))


@router.post("/notifications/{reference}/transfer", response_class=Response)
async def send_notification_back(request: Request, reference: str) -> Response:
    """Send the notification back to its trust, with the council that is thought responsible; it stays open here until it is sent again."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    councils = await asyncio.to_thread(send_back.suggestions, gateway_of(request), visit.person)
    reading = Reading(fields)
    reason, suggested = _answers(reading, councils)
    act = partial(send_back.send_back, gateway_of(request), by=visit.person, reference=reference, version=reading.version())
    do = partial(act, reason=str(reason), suggested=suggested.gss if suggested else None, form=reading.form())
    came = await perform(request, visit, reference, reading, do, FAULTS)
    if not isinstance(came, tuple):
        return see_case(came.reference, "sent-back")
    case, form = came
    if form.changes and reason is not None:
        return _check(request, visit, case, reason, suggested, form)
    return _page(request, visit, case, councils, form)


def _answers(reading: Reading, councils: tuple[Suggestion, ...]) -> tuple[SendBackReason | None, Suggestion | None]:
    reason = reading.chosen(SendBackReason, "reason", "Select why the child is not in your area")
    wanted = reading.fields.get("suggested", "")
    if not wanted:
        reading.wrong("suggested", "Select a council, or that you do not know")
    suggested = next((each for each in councils if each.gss == wanted), None)
    if wanted not in ("", NOT_KNOWN) and suggested is None:
        reading.wrong("suggested", FAULTS[Code.SUGGESTED_AUTHORITY][1])
    return reason, suggested


def _page(request: Request, visit: Visit, case: Case, councils: tuple[Suggestion, ...], form: Form) -> Response:
    every = (Option(NOT_KNOWN, "We do not know: back to the trust"), *(Option(each.gss, each.name) for each in councils))
    presenter = SendingBack(
        head=head(case),
        trust=case.row.trust.name,
        reasons=words.options(words.SENDING_BACK),
        councils=every,
        disputed=case.sent_back is not None and case.sent_back.disputed,
        may=case.may_send_back,
        form=form,
    )
    return show_page(request, "inbox/transfer.html", presenter, visit=visit, status=status_of(form), area="inbox")


def _check(request: Request, visit: Visit, case: Case, reason: SendBackReason, suggested: Suggestion | None, form: Form) -> Response:
    here = f"/notifications/{case.row.reference}/transfer?reason={reason.value}&suggested={suggested.gss if suggested else NOT_KNOWN}"
    name = suggested.name if suggested else "Not known"
    trust = case.row.trust.name
    warnings = [
        f"{trust} is told why, and which council you suggest. It sends the notification again; this service does not pass it on by itself.",
        "It stays open here until then. You can no longer see who the child is.",
    ]
    if suggested and not suggested.on_service:
        warnings.append(f"{suggested.name} is not on this service yet. The trust has to reach it another way.")
    carried = {"reason": reason.value, "suggested": suggested.gss if suggested else NOT_KNOWN}
    presenter = CheckingBack(
        head=head(case),
        answers=(
            Fact("Why", (words.SENDING_BACK[reason],), change=here, change_words="Change why"),
            Fact("Suggested council", (name,), change=here, change_words="Change the council"),
        ),
        warnings=tuple(warnings),
        button="Send back to the trust",
        form=form.carrying(**carried),
    )
    return show_page(request, "inbox/transfer_check.html", presenter, visit=visit, status=status_of(form), area="inbox")
