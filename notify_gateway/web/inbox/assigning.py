# SPDX-License-Identifier: MIT
"""Whose a notification is: given to somebody, taken back, or several given at once by a manager."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import TakeReason
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotifyError, Refused
from notify_gateway.domain.policy import Act, may
from notify_gateway.use_cases.inbox import assign, read, team
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.use_cases.inbox.team import Member
from notify_gateway.web.entrance.door import Visit, form_lists, visitor, visitor_with_form
from notify_gateway.web.forms import MOST_VERSION, Form, Option, Reading, an_id, new_form, whole
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.case_presenter import Head, assigned, head
from notify_gateway.web.inbox.changed import show_changed
from notify_gateway.web.inbox.desk import find, gateway_of, perform, see, see_case, status_of
from notify_gateway.web.inbox.listing_presenters import ListRow, list_row, name_of
from notify_gateway.web.pages import show_page
from notify_gateway.web.wording import day

router = APIRouter(tags=["Inbox"])
NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigning:
    """The form for one notification."""

    head: Head
    now: str
    before: tuple[str, ...]
    people: tuple[Option, ...]
    reasons: tuple[Option, ...]
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class AssigningMany:
    """The form for those that were ticked."""

    rows: tuple[ListRow, ...]
    people: tuple[Option, ...]
    reasons: tuple[Option, ...]
    form: Form


@router.get("/notifications/{reference}/assign", response_class=Response)
async def ask_whose(request: Request, reference: str) -> Response:
    """Ask whose the notification shall be."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    return await _page(request, visit, case, new_form(visit.form_token, version=case.row.version))


@router.post("/notifications/{reference}/assign", response_class=Response)
async def assign_notification(request: Request, reference: str) -> Response:
    """Give the notification to somebody, or to nobody."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    officer = _officer(reading)
    act = partial(assign.assign, gateway_of(request), by=visit.person, reference=reference, version=reading.version(), officer=officer)
    faults = {Code.CASE_CHOICE: ("reason", "Select why you take it from somebody")}
    came = await perform(request, visit, reference, reading, partial(act, reason=_reason(reading), form=reading.form()), faults)
    if isinstance(came, tuple):
        return await _page(request, visit, *came)
    return see_case(came.reference, "assigned" if officer else "given-up")


@router.post("/notifications/{reference}/assign/undo", response_class=Response)
async def undo_assignment(request: Request, reference: str) -> Response:
    """Take the last assignment back, within ten minutes, by whoever made it."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    act = partial(assign.undo, gateway_of(request), by=visit.person, reference=reference)
    came = await perform(request, visit, reference, reading, partial(act, version=reading.version(), form=reading.form()))
    return show_changed(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "undone")


@router.get("/inbox/assign", response_class=Response)
async def ask_whose_all_are(request: Request) -> Response:
    """Show the notifications that were ticked, and ask whose they shall be. For managers."""
    visit = await visitor(request, Act.ASSIGN_OTHERS)
    return await _many(request, visit, request.query_params.getlist("case"), new_form(visit.form_token))


@router.post("/inbox/assign", response_class=Response)
async def assign_many(request: Request) -> Response:
    """Give all of the ticked notifications to one officer, or none. For managers."""
    visit, fields = await visitor_with_form(request, Act.ASSIGN_OTHERS)
    ticked = form_lists(fields, "case")
    reading = Reading(fields)
    officer = _officer(reading)
    if not reading.faults and officer is not None:
        act = partial(assign.assign_all, gateway_of(request), by=visit.person, cases=_cases(ticked), officer=officer)
        try:
            await asyncio.to_thread(act, reason=_reason(reading))
            return see("/inbox?done=assigned")
        except NotifyError as error:
            told = {
                Code.CASE_CHANGED.value: (
                    "officer",
                    "Somebody changed one of these meanwhile: look at them as they are now and send it again",
                ),
                Code.CASE_CHOICE.value: ("reason", "Select why you take them from somebody"),
            }.get(error.issues[0].code)
            if told is None:
                raise
            reading.wrong(*told)
    return await _many(request, visit, ticked, reading.again(visit.form_token))


async def _page(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    person = visit.person
    members = await asyncio.to_thread(team.list_team, gateway_of(request), person)
    mine = [each for each in members if each.officer.id == person.id]
    shown = members if may(person, Act.ASSIGN_OTHERS) else mine
    presenter = Assigning(
        head=head(case),
        now=name_of(case.row.officer),
        before=assigned(case),
        people=(*_people(shown), Option(NOBODY, "Not assigned")),
        reasons=words.options(words.TAKING) if case.row.officer and case.row.officer.id != person.id else (),
        form=form,
    )
    return show_page(request, "inbox/assign.html", presenter, visit=visit, status=status_of(form), area="inbox")


async def _many(request: Request, visit: Visit, ticked: Sequence[str], form: Form) -> Response:
    gateway, person = gateway_of(request), visit.person
    cases = [await asyncio.to_thread(read.show_case, gateway, person, reference) for reference in _cases(ticked)]
    members = await asyncio.to_thread(team.list_team, gateway, person)
    presenter = AssigningMany(
        rows=tuple(list_row(case.row) for case in cases),
        people=_people(members),
        reasons=words.options(words.TAKING) if any(case.row.officer for case in cases) else (),
        form=form,
    )
    return show_page(request, "inbox/assign_many.html", presenter, visit=visit, status=status_of(form), area="inbox")


def _people(members: Sequence[Member]) -> tuple[Option, ...]:
    return tuple(Option(str(each.officer.id), each.officer.name, _load(each)) for each in members)


def _load(member: Member) -> str:
    away = f", away until {day(member.away_to)}" if member.away_now else ""
    deputy = f"; {member.deputy.name} stands in and gets it" if member.away_now and member.deputy else ""
    return f"{member.open} open{away}{deputy}"


def _officer(reading: Reading) -> UUID | None:
    given = reading.fields.get("officer", "")
    if not given:
        reading.wrong("officer", "Select whose it shall be")
    return an_id(given) if given and given != NOBODY else None


def _reason(reading: Reading) -> str | None:
    return reading.chosen(TakeReason, "reason", "") if reading.fields.get("reason") else None


def _cases(ticked: Sequence[str]) -> dict[str, int]:
    if len(ticked) > assign.MOST_AT_ONCE or any(len(each) > 40 for each in ticked):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    parted = [each.partition(":") for each in ticked]
    return {reference: whole(version, MOST_VERSION) for reference, _, version in parted}
