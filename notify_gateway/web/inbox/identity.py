# SPDX-License-Identifier: MIT
"""Showing who the child is, where the service keeps the authority's key: the reason first, then the card, until its time is over.

The one page that holds identity has an address of its own, so that whatever it shows was asked for, is counted and is in the log.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.policy import Act, may
from notify_gateway.privacy.sheet import sheet_of
from notify_gateway.use_cases import reveal_to_staff
from notify_gateway.use_cases.devices import notes
from notify_gateway.use_cases.devices.notes import OpenedNote
from notify_gateway.use_cases.inbox import settings
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.use_cases.reveal import RevealReason
from notify_gateway.use_cases.reveal_to_staff import Kind, Seen
from notify_gateway.web.entrance.door import Visit, require_step_up, visitor, visitor_with_form
from notify_gateway.web.forms import Form, Option, Reading, new_form
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.case_presenter import Head, head
from notify_gateway.web.inbox.desk import find, gateway_of, see, status_of
from notify_gateway.web.inbox.identity_presenter import Identity, NoteRead, Shown, blocks, until
from notify_gateway.web.inbox.identity_state import identity_of
from notify_gateway.web.inbox.notification import page_of
from notify_gateway.web.pages import show_page
from notify_gateway.web.wording import instant

router = APIRouter(tags=["Inbox"])
NO_REASON = "Select why you need to see who this child is"
NO_CASE = "Enter your case reference: letters, digits, / - and _, 40 at most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The form that asks a manager for a second reason, before the original message is handed over."""

    head: Head
    reasons: tuple[Option, ...]
    ready: str
    form: Form


@router.post("/notifications/{reference}/identity", response_class=Response)
async def ask_who_the_child_is(request: Request, reference: str) -> Response:
    """Take the reason; it is committed to the log before anything is opened."""
    visit, fields = await visitor_with_form(request, Act.REVEAL_CARD)
    reading = Reading(fields)
    if await _permitted(request, visit, reference, reading, "card"):
        return see(f"/notifications/{reference}/identity#identity")
    case = await find(request, visit, reference)
    identity = await asyncio.to_thread(identity_of, gateway_of(request), visit, case, reading.again(visit.form_token))
    return await page_of(request, visit, case, identity, status=422)


@router.get("/notifications/{reference}/identity", response_class=Response)
async def show_who_the_child_is(request: Request, reference: str) -> Response:
    """Show the card while the visitor's permission runs; without one, show the notification, where a reason can be given."""
    visit = await visitor(request, Act.REVEAL_CARD)
    gateway = gateway_of(request)
    case = await find(request, visit, reference)
    panel = await asyncio.to_thread(identity_of, gateway, visit, case)
    if panel.shown is not Shown.READY:
        return see(f"/notifications/{case.row.reference}")
    seen = await asyncio.to_thread(partial(reveal_to_staff.look, gateway, by=visit.person, reference=reference))
    if seen is None:
        return see(f"/notifications/{case.row.reference}")
    written = await asyncio.to_thread(partial(notes.look, gateway, by=visit.person, reference=reference))
    return await page_of(request, visit, case, _opened(panel, case, seen, visit, written))


@router.post("/notifications/{reference}/identity/hide", response_class=Response)
async def hide_who_the_child_is(request: Request, reference: str) -> Response:
    """End the visitor's permission before its time."""
    visit, _ = await visitor_with_form(request, Act.REVEAL_CARD)
    await asyncio.to_thread(partial(reveal_to_staff.end, gateway_of(request), by=visit.person, reference=reference))
    return see(f"/notifications/{reference}?done=hidden")


@router.get("/notifications/{reference}/identity/original", response_class=Response)
async def ask_why_the_original(request: Request, reference: str) -> Response:
    """Ask a manager why the message as it was received is needed. For managers who have just proved who they are."""
    visit = await visitor(request, Act.REVEAL_ORIGINAL)
    require_step_up(visit)
    return await _original(request, visit, reference, new_form(visit.form_token))


@router.post("/notifications/{reference}/identity/original", response_class=Response)
async def show_original(request: Request, reference: str) -> Response:
    """Hand the message over exactly as it was received, against a second reason, which is in the log first. For managers."""
    visit, fields = await visitor_with_form(request, Act.REVEAL_ORIGINAL)
    require_step_up(visit)
    reading = Reading(fields)
    if await _permitted(request, visit, reference, reading, "original"):
        act = partial(reveal_to_staff.look_at_original, gateway_of(request), by=visit.person, reference=reference)
        opened = await asyncio.to_thread(act)
        if opened is not None:
            headers = {"Content-Disposition": f'attachment; filename="{reference}.json"'}
            return Response(opened.reveal(), headers=headers, media_type="application/fhir+json")
    return await _original(request, visit, reference, reading.again(visit.form_token))


async def _permitted(request: Request, visit: Visit, reference: str, reading: Reading, kind: Kind) -> bool:
    """Tell whether the visitor may see it now; else the reading says what is wrong."""
    gateway, person = gateway_of(request), visit.person
    reason = reading.chosen(RevealReason, "reason", NO_REASON)
    case_reference = reading.text("case_reference", 40)
    if not case_reference:
        reading.wrong("case_reference", NO_CASE)
    if reading.faults:
        return False
    window = (await asyncio.to_thread(settings.show_settings, gateway, person)).reveal_window
    act = partial(reveal_to_staff.permit, gateway, by=person, reference=reference, kind=kind, reason=str(reason))
    try:
        await asyncio.to_thread(act, case_reference=case_reference, window=window)
    except Refused as error:
        if error.issues[0].code != Code.REVEAL_REASON_MISSING:
            raise
        reading.wrong("case_reference", NO_CASE)
        return False
    return True


def _opened(panel: Identity, case: Case, seen: Seen, visit: Visit, written: tuple[OpenedNote, ...]) -> Identity:
    restricted = bool(seen.card.reveal().get("child", {}).get("address_restricted"))
    safe = f"The address is restricted and not shown. {case.restricted_contact or ''}".strip() if restricted else ""
    return replace(
        panel,
        shown=Shown.OPEN,
        until=until(seen.until),
        safe=safe,
        blocks=blocks(sheet_of(seen).sections),
        notes=tuple(NoteRead(instant(each.written_at), each.text) for each in written),
        original=f"/notifications/{case.row.reference}/identity/original" if may(visit.person, Act.REVEAL_ORIGINAL) else "",
    )


async def _original(request: Request, visit: Visit, reference: str, form: Form) -> Response:
    case = await find(request, visit, reference)
    presenter = Original(
        head=head(case),
        reasons=words.options(words.REVEALING),
        ready="It holds everything that the trust sent, a restricted address and attachments among it. Files in it were not scanned.",
        form=form,
    )
    return show_page(request, "inbox/original.html", presenter, visit=visit, status=status_of(form), area="inbox")
