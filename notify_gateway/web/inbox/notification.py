# SPDX-License-Identifier: MIT
"""The page of one notification, and the acts that need no page of their own: taking it, closing it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import Status
from notify_gateway.domain.policy import Act, may
from notify_gateway.use_cases import reveal_to_staff
from notify_gateway.use_cases.inbox import assign, close
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import Reading
from notify_gateway.web.inbox import case_presenter as show
from notify_gateway.web.inbox.banner_presenter import banners
from notify_gateway.web.inbox.changed import show_changed
from notify_gateway.web.inbox.desk import find, gateway_of, perform, see_case
from notify_gateway.web.inbox.history_presenter import with_views
from notify_gateway.web.inbox.identity_presenter import Identity
from notify_gateway.web.inbox.identity_state import identity_of
from notify_gateway.web.inbox.listing_presenters import name_of
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])

FINISHED: Final = frozenset({Status.OUTCOME, Status.WITHDRAWN, Status.DUPLICATE})
DONE: Final = {
    "acknowledged": "Acknowledged. {trust} has been told that you have the notification.",
    "taken": "It is yours.",
    "assigned": "Assigned to {officer}.",
    "given-up": "Nobody has it now.",
    "undone": "The assignment is undone.",
    "contact": "The contact is recorded. {trust} was not told.",
    "contact-told": "The contact is recorded, and {trust} was told that there was contact.",
    "corrected": "Corrected. What stood there before is kept, struck through.",
    "outcome": "Outcome recorded. {trust} was told the outcome and the day, and nothing else.",
    "reopened": "Reopened. The outcome stays in the history.",
    "sent-back": "Sent back to {trust}. It stays here until the trust sends it again.",
    "asked": "The question went to {trust}. The time to reply stands still until it answers.",
    "question-back": "The question was taken back. The time to reply goes on.",
    "closed": "Closed.",
    "extended": "The later date is set, and counted as extended.",
    "hidden": "The child's details are hidden.",
    "dismissed": "You will not see that notice again.",
    "saved": "Saved.",
}


@router.get("/notifications/{reference}", response_class=Response)
async def show_notification(request: Request, reference: str) -> Response:
    """Show one notification without saying who the child is."""
    visit = await visitor(request, Act.READ_INBOX)
    case = await find(request, visit, reference)
    identity = await asyncio.to_thread(identity_of, gateway_of(request), visit, case)
    return await page_of(request, visit, case, identity, done=request.query_params.get("done", ""))


@router.post("/notifications/{reference}/take", response_class=Response)
async def take_notification(request: Request, reference: str) -> Response:
    """Make a notification that nobody has the visitor's own."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    act = partial(assign.assign, gateway_of(request), by=visit.person, reference=reference, officer=visit.person.id)
    came = await perform(request, visit, reference, reading, partial(act, version=reading.version(), form=reading.form()))
    return show_changed(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "taken")


@router.post("/notifications/{reference}/close", response_class=Response)
async def close_notification(request: Request, reference: str) -> Response:
    """Finish a notification that the trust has withdrawn."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    act = partial(close.close_withdrawn, gateway_of(request), by=visit.person, reference=reference)
    came = await perform(request, visit, reference, reading, partial(act, version=reading.version(), form=reading.form()))
    return show_changed(request, visit, *came) if isinstance(came, tuple) else see_case(came.reference, "closed")


async def page_of(request: Request, visit: Visit, case: Case, identity: Identity, *, done: str = "", status: int = 200) -> Response:
    """Return the page of the notification with the panel of the child's identity in its present state."""
    tried, history = show.pages_of(case)
    seen = partial(reveal_to_staff.views, gateway_of(request), by=visit.person, notification_id=case.notification_id)
    said = DONE.get(done, "").format(trust=case.row.trust.name, officer=name_of(case.row.officer))
    due = show.due_of(case)
    presenter = show.CasePage(
        head=show.head(case),
        version=str(case.row.version),
        form=str(uuid4()),
        form_token=visit.form_token,
        done=said,
        done_more=f"Next: {due.step} by {due.on}." if said and due else "",
        due=due,
        officer=name_of(case.row.officer),
        assigned=show.assigned(case),
        may=_may(request, visit, case),
        primary=show.primary(case),
        notices=show.notices(case),
        banners=banners(case),
        told=show.told(case),
        parent=show.parent(case),
        sharing=show.sharing(case),
        tried=tried,
        endings=show.endings(case),
        questions=show.questions(case),
        related=show.related(case),
        identity=identity,
        history=with_views(history, await asyncio.to_thread(seen)),
    )
    return show_page(request, "inbox/notification.html", presenter, visit=visit, status=status, area="inbox")


def _may(request: Request, visit: Visit, case: Case) -> show.May:
    person, officer = visit.person, case.row.officer
    open_ = case.row.status not in FINISHED
    manager, own = may(person, Act.ASSIGN_OTHERS), officer is not None and officer.id == person.id
    last = case.assignments[0] if case.assignments else None
    now = gateway_of(request).clock.now()
    undoable = last is not None and last.undoable_until is not None and last.undoable_until > now
    return show.May(
        acknowledge=case.may_acknowledge,
        take=open_ and officer is None,
        assign=open_ and (manager or own),
        undo=undoable and last is not None and last.by is not None and last.by.id == person.id,
        contact=case.may_contact,
        outcome=case.may_record_outcome,
        reopen=case.may_reopen,
        send_back=case.may_send_back,
        ask=case.may_ask,
        take_back=any(each.closed_at is None for each in case.questions),
        close=case.may_close,
        extend=open_ and manager and case.row.reply_by is not None,
        link=open_,
    )
