# SPDX-License-Identifier: MIT
"""The lists: the inbox, what is late, and the notices on top. All that is asked for stands in the address, and nothing in it identifies."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import Sort, Status, Tab
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.policy import Act, may
from notify_gateway.use_cases.inbox import notices, read, settings
from notify_gateway.use_cases.inbox.read import Filters
from notify_gateway.web.entrance.door import visitor, visitor_with_form
from notify_gateway.web.forms import an_id
from notify_gateway.web.inbox import late_presenter, listing_presenters
from notify_gateway.web.inbox.asked import asked
from notify_gateway.web.inbox.desk import gateway_of, see
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])

DONE: Final = {"assigned": "Assigned. Each of them has it in the history.", "dismissed": "You will not see that notice again."}


@router.get("/inbox", response_class=Response)
async def show_inbox(request: Request) -> Response:
    """Show the inbox: what waits, for whom, until when."""
    visit = await visitor(request, Act.READ_INBOX)
    gateway = gateway_of(request)
    filters, number = asked(request)
    found = await asyncio.to_thread(read.list_cases, gateway, visit.person, filters, number)
    presenter = listing_presenters.inbox(
        found,
        today=london_day(gateway.clock.now()),
        may_assign=may(visit.person, Act.ASSIGN_OTHERS),
        form_token=visit.form_token,
        done=DONE.get(request.query_params.get("done", ""), ""),
    )
    return show_page(request, "inbox/list.html", presenter, visit=visit, area="inbox")


@router.get("/inbox/overdue", response_class=Response)
async def show_late(request: Request) -> Response:
    """Show what is late, the worst first, and by which rules."""
    visit = await visitor(request, Act.READ_INBOX)
    gateway = gateway_of(request)
    _, number = asked(request)
    found = await asyncio.to_thread(read.list_cases, gateway, visit.person, Filters(late=True, sort=Sort.REPLY_BY), number)
    unanswered = Filters(tab=Tab.WAITING, status=frozenset({Status.QUESTION}))
    waiting = await asyncio.to_thread(read.list_cases, gateway, visit.person, unanswered)
    rules = late_presenter.rules(await asyncio.to_thread(settings.show_settings, gateway, visit.person))
    return show_page(request, "inbox/late.html", late_presenter.late(found, waiting, rules), visit=visit, area="late")


@router.post("/inbox/notices", response_class=Response)
async def dismiss_notice(request: Request) -> Response:
    """Take a notice off the visitor's own pages; others still see it."""
    visit, fields = await visitor_with_form(request, Act.READ_INBOX)
    await asyncio.to_thread(notices.dismiss, gateway_of(request), by=visit.person, notice=an_id(fields.get("notice", "")))
    reference = fields.get("from", "")
    if reference:
        found = await asyncio.to_thread(read.show_case, gateway_of(request), visit.person, reference)
        return see(f"/notifications/{found.row.reference}?done=dismissed")
    return see("/inbox?done=dismissed")
