# SPDX-License-Identifier: MIT
"""Asking the trust a question, and setting a later day: both are codes, recorded, and visible to whoever reads the history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import ExtendReason
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.feedback import Question
from notify_gateway.domain.policy import Act
from notify_gateway.use_cases.inbox import ask, extend
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import Form, Option, Reading, new_form
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.case_presenter import Head, due_of, head
from notify_gateway.web.inbox.changed import show_changed
from notify_gateway.web.inbox.desk import find, gateway_of, perform, see_case, status_of
from notify_gateway.web.inbox.listing_presenters import Due
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])
FAULTS: Final = {Code.CASE_DAY: ("on", "Enter a day from tomorrow on, at most 60 days ahead")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The question."""

    head: Head
    trust: str
    questions: tuple[Option, ...]
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Extending:
    """The later day."""

    head: Head
    due: Due | None
    reasons: tuple[Option, ...]
    form: Form


@router.get("/notifications/{reference}/question", response_class=Response)
async def ask_which_question(request: Request, reference: str) -> Response:
    """Ask what the trust shall be asked."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    return _asking(request, visit, case, new_form(visit.form_token, version=case.row.version))


@router.post("/notifications/{reference}/question", response_class=Response)
async def ask_trust(request: Request, reference: str) -> Response:
    """Send the trust a question; the time to reply stands still until it answers."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    question = reading.chosen(Question, "question", "Select what to ask the trust")
    act = partial(ask.ask_trust, gateway_of(request), by=visit.person, reference=reference, question=str(question))
    came = await perform(request, visit, reference, reading, partial(act, version=reading.version(), form=reading.form()))
    return _asking(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "asked")


@router.post("/notifications/{reference}/question/take-back", response_class=Response)
async def take_question_back(request: Request, reference: str) -> Response:
    """Wait for an answer no longer; the time to reply goes on."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    act = partial(ask.take_question_back, gateway_of(request), by=visit.person, reference=reference)
    came = await perform(request, visit, reference, reading, partial(act, version=reading.version(), form=reading.form()))
    return show_changed(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "question-back")


@router.get("/notifications/{reference}/extend", response_class=Response)
async def ask_how_long(request: Request, reference: str) -> Response:
    """Ask until when, and why. For managers."""
    visit = await visitor(request, Act.ASSIGN_OTHERS)
    case = await find(request, visit, reference)
    return _extending(request, visit, case, new_form(visit.form_token, version=case.row.version))


@router.post("/notifications/{reference}/extend", response_class=Response)
async def extend_notification(request: Request, reference: str) -> Response:
    """Set a later day for the next step; it counts as extended and is not hidden. For managers."""
    visit, fields = await visitor_with_form(request, Act.ASSIGN_OTHERS)
    reading = Reading(fields)
    on = reading.day("on", "Enter the later day")
    reason = reading.chosen(ExtendReason, "reason", "Select why")

    def do() -> Done:
        assert on is not None  # a day that is missing is a fault, and nothing is set
        return extend.extend(
            gateway_of(request),
            by=visit.person,
            reference=reference,
            version=reading.version(),
            on=on,
            reason=str(reason),
            form=reading.form(),
        )

    came = await perform(request, visit, reference, reading, do, FAULTS)
    return _extending(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "extended")


def _asking(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    presenter = Asking(head=head(case), trust=case.row.trust.name, questions=words.options(words.QUESTIONS), form=form)
    return show_page(request, "inbox/question.html", presenter, visit=visit, status=status_of(form), area="inbox")


def _extending(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    presenter = Extending(head=head(case), due=due_of(case), reasons=words.options(words.EXTENDING), form=form)
    return show_page(request, "inbox/extend.html", presenter, visit=visit, status=status_of(form), area="inbox")
