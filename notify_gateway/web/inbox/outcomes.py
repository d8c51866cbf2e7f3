# SPDX-License-Identifier: MIT
"""What came of a notification: two short pages, the answers checked, then recorded. Until then they stand in the address, as codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import ReopenReason
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.feedback import OUTCOMES, AuthorityOutcome
from notify_gateway.domain.policy import Act
from notify_gateway.use_cases.inbox import outcome
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import MOST_VERSION, VERSION, Form, Option, Reading, day_fields, new_form, whole
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.case_presenter import Fact, Head, head
from notify_gateway.web.inbox.desk import NO_DAY, find, gateway_of, perform, see_case, status_of
from notify_gateway.web.pages import show_page
from notify_gateway.web.wording import day

router = APIRouter(tags=["Inbox"])

REVIEWED: Final = frozenset(
    {
        AuthorityOutcome.EARLY_YEARS_SUPPORT,
        AuthorityOutcome.PORTAGE,
        AuthorityOutcome.SPECIALIST_TEACHING,
        AuthorityOutcome.INCLUSION_FUNDING,
        AuthorityOutcome.EHC_ASSESSMENT_CONSIDERED,
        AuthorityOutcome.FAMILY_NOT_REACHED,
    }
)
"""Outcomes after which somebody looks again."""
FAULTS: Final = {Code.STEP_DATE: ("on", NO_DAY), Code.CASE_DAY: ("on", NO_DAY)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """The first page: what happens."""

    head: Head
    outcomes: tuple[Option, ...]
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Dating:
    """The second page: since when."""

    head: Head
    chosen: str
    reviewed: bool
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """The third page: the answers, before they leave the authority."""

    head: Head
    answers: tuple[Fact, ...]
    letter: str
    told: str
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopening:
    """The form that takes a finished notification up again."""

    head: Head
    reasons: tuple[Option, ...]
    form: Form


@router.get("/notifications/{reference}/outcome", response_class=Response)
async def ask_for_outcome(request: Request, reference: str) -> Response:
    """Ask what came of it, page by page; what was answered before stands in the address."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    given = dict(request.query_params)
    version = whole(given[VERSION], MOST_VERSION) if given.get(VERSION) else case.row.version
    reading = Reading(given)
    step = given.get("step", "what")
    if step not in ("when", "check"):
        values = {"outcome": given.get("outcome", "")}
        return _choosing(request, visit, case, new_form(visit.form_token, version=version, values=values))
    chosen = reading.chosen(AuthorityOutcome, "outcome", "Select what came of it")
    if chosen is None:
        return _choosing(request, visit, case, _again(reading, visit, version))
    if step == "when":
        today = day_fields("on", london_day(gateway_of(request).clock.now()))
        return _dating(request, visit, case, chosen, new_form(visit.form_token, version=version, values=today | given))
    _days(reading, chosen)
    if reading.faults:
        return _dating(request, visit, case, chosen, _again(reading, visit, version))
    return _checking(request, visit, case, chosen, reading, new_form(visit.form_token, version=version, values=given))


@router.post("/notifications/{reference}/outcome", response_class=Response)
async def record_outcome_on_the_page(request: Request, reference: str) -> Response:
    """Record what came of it; the trust is told the code and the day, and nothing else."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    chosen = reading.chosen(AuthorityOutcome, "outcome", "Select what came of it")
    if chosen is None:
        return _choosing(request, visit, await find(request, visit, reference), reading.again(visit.form_token))
    on, review_on = _days(reading, chosen)
    act = partial(outcome.record_outcome, gateway_of(request), by=visit.person, reference=reference, version=reading.version())

    def do() -> Done:
        assert on is not None  # a day that is missing is a fault, and nothing is recorded
        return act(outcome=chosen, on=on, review_on=review_on, form=reading.form())

    came = await perform(request, visit, reference, reading, do, FAULTS)
    if not isinstance(came, tuple):
        return see_case(came.reference, "outcome")
    case, form = came
    return _checking(request, visit, case, chosen, reading, form) if form.changes else _dating(request, visit, case, chosen, form)


@router.get("/notifications/{reference}/reopen", response_class=Response)
async def ask_why_reopened(request: Request, reference: str) -> Response:
    """Ask why a finished notification is taken up again."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    return _reopening(request, visit, case, new_form(visit.form_token, version=case.row.version))


@router.post("/notifications/{reference}/reopen", response_class=Response)
async def reopen_notification(request: Request, reference: str) -> Response:
    """Take a finished notification up again; its outcome stays in the history."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    reason = reading.chosen(ReopenReason, "reason", "Select why it is reopened")
    act = partial(outcome.reopen, gateway_of(request), by=visit.person, reference=reference, reason=str(reason))
    came = await perform(request, visit, reference, reading, partial(act, version=reading.version(), form=reading.form()))
    return _reopening(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "reopened")


def _days(reading: Reading, chosen: AuthorityOutcome) -> tuple[date | None, date | None]:
    on = reading.day("on", "Enter the day on which this was decided")
    review_on = reading.day("review_on") if chosen in REVIEWED else None
    if on and review_on and review_on <= on:
        reading.wrong("review_on", "Enter a review day that comes after the outcome")
    return on, review_on


def _again(reading: Reading, visit: Visit, version: int) -> Form:
    made = reading.again(visit.form_token)
    return Form(token=visit.form_token, carried=((VERSION, str(version)),), values=made.values, faults=made.faults, dates=made.dates)


def _choosing(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    every = tuple(Option(code.value, told.label, told.meaning) for code, told in OUTCOMES.items())
    presenter = Choosing(head=head(case), outcomes=every, form=form)
    return show_page(request, "inbox/outcome_what.html", presenter, visit=visit, status=status_of(form), area="inbox")


def _dating(request: Request, visit: Visit, case: Case, chosen: AuthorityOutcome, form: Form) -> Response:
    presenter = Dating(head=head(case), chosen=OUTCOMES[chosen].label, reviewed=chosen in REVIEWED, form=form)
    presenter = _with_outcome(presenter, chosen)
    return show_page(request, "inbox/outcome_when.html", presenter, visit=visit, status=status_of(form), area="inbox")


def _with_outcome(presenter: Dating, chosen: AuthorityOutcome) -> Dating:
    form = presenter.form
    carried = tuple(pair for pair in form.carried if pair[0] != "outcome")
    form = Form(token=form.token, carried=carried, values=form.values, faults=form.faults, dates=form.dates, changes=form.changes).carrying(
        outcome=chosen.value
    )
    return Dating(head=presenter.head, chosen=presenter.chosen, reviewed=presenter.reviewed, form=form)


def _checking(request: Request, visit: Visit, case: Case, chosen: AuthorityOutcome, reading: Reading, form: Form) -> Response:
    on, review_on = _days(reading, chosen)
    here = f"/notifications/{case.row.reference}/outcome"
    sent: Mapping[str, str] = {name: reading.fields.get(name, "") for name in _SENT}
    presenter = Checking(
        head=head(case),
        answers=(
            Fact(
                "What came of it", (OUTCOMES[chosen].label,), change=f"{here}?outcome={chosen.value}", change_words="Change what came of it"
            ),
            Fact("Decided on", (day(on),), change=f"{here}?step=when&outcome={chosen.value}", change_words="Change the day"),
            *((Fact("Review on", (day(review_on),)),) if review_on else ()),
        ),
        told=f"{case.row.trust.name} is told the outcome and its day, and nothing else. The family is told by you, not by this service.",
        letter=OUTCOMES[chosen].meaning,
        form=form.carrying(**{name: value for name, value in sent.items() if value}),
    )
    return show_page(request, "inbox/outcome_check.html", presenter, visit=visit, status=status_of(form), area="inbox")


_SENT: Final = ("outcome", *(f"{name}-{part}" for name in ("on", "review_on") for part in ("day", "month", "year")))


def _reopening(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    presenter = Reopening(head=head(case), reasons=words.options(words.REOPENING), form=form)
    return show_page(request, "inbox/reopen.html", presenter, visit=visit, status=status_of(form), area="inbox")
