# SPDX-License-Identifier: MIT
"""Acknowledging: a person takes the notification on, and the trust is told that, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.policy import Act, may
from notify_gateway.use_cases.inbox import acknowledge, team
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import Form, Option, Reading, an_id, new_form
from notify_gateway.web.inbox.case_presenter import Head, due_of, head
from notify_gateway.web.inbox.desk import find, gateway_of, perform, see_case, status_of
from notify_gateway.web.inbox.listing_presenters import Due
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledging:
    """The form."""

    head: Head
    told: str
    due: Due | None
    withdrawn: bool
    done_before: bool
    officers: tuple[Option, ...]
    form: Form


@router.get("/notifications/{reference}/acknowledge", response_class=Response)
async def ask_to_acknowledge(request: Request, reference: str) -> Response:
    """Ask whether the notification is taken on, and by whom."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    mine = {"officer": str(case.row.officer.id if case.row.officer else visit.person.id)}
    return await _page(request, visit, case, new_form(visit.form_token, version=case.row.version, values=mine))


@router.post("/notifications/{reference}/acknowledge", response_class=Response)
async def acknowledge_notification(request: Request, reference: str) -> Response:
    """Take the notification on; the trust is told. Pressed twice, the second press shows what the first did."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    act = partial(acknowledge.acknowledge, gateway_of(request), by=visit.person, reference=reference, version=reading.version())
    officer = an_id(fields["officer"]) if fields.get("officer") else None
    came = await perform(request, visit, reference, reading, partial(act, form=reading.form(), officer=officer))
    return await _page(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "acknowledged")


async def _page(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    gateway, person = gateway_of(request), visit.person
    members = await asyncio.to_thread(team.list_team, gateway, person) if may(person, Act.ASSIGN_OTHERS) else ()
    others = [Option(str(each.officer.id), each.officer.name) for each in members if each.officer.id != person.id]
    presenter = Acknowledging(
        head=head(case),
        told=f"This tells {case.row.trust.name} that your authority has the notification. It does not tell the family anything.",
        due=due_of(case),
        withdrawn=case.may_close,
        done_before=not case.may_acknowledge and not case.may_close,
        officers=(Option(str(person.id), f"{person.name} (you)"), *others),
        form=form,
    )
    return show_page(request, "inbox/acknowledge.html", presenter, visit=visit, status=status_of(form), area="inbox")
