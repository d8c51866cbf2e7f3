# SPDX-License-Identifier: MIT
"""The page of devices and its forms: enrol, approve, end, drill. Whatever changes who can read needs a sign-in that is fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Issue, NotFound, NotifyError
from notify_gateway.domain.policy import Act
from notify_gateway.use_cases.devices import drill, enrol
from notify_gateway.use_cases.devices.show import show_devices
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.web.devices.presenters import devices_page
from notify_gateway.web.entrance.door import Visit, require_step_up, visitor, visitor_with_form
from notify_gateway.web.forms import Form, new_form
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])

PAGE: Final = "/devices"
DONE: Final = {
    "enrolled": "The device is on the list. A second manager, or the operator, now compares the fingerprint that it shows.",
    "live": "The device is enrolled, and its key is in use.",
    "approved": "The key is let in. From now on everything that comes for you is sealed to this device as well.",
    "refused": "The device was taken off the list; its key was never in use.",
    "ended": "The device is ended. Nothing more is sealed to its key, and nothing is handed to it any more.",
    "drill": "The drill has begun. Take the file to where the recovery key is kept, and bring the words back.",
    "passed": "The recovery key works. The day is in the log.",
}
SHOWN_BESIDE: Final = {
    Code.DEVICE_DETAILS: "label",
    Code.WORKING_KEYS_TOO_MANY: "label",
    Code.RECOVERY_KEY_MISSING: "label",
    Code.KEY_KNOWN: "label",
    Code.FINGERPRINT_DIFFERS: "fingerprint",
    Code.SECOND_PERSON_NEEDED: "fingerprint",
    Code.DRILL_ANSWER: "answer",
}
"""Refusals that the page itself can say, beside the field that they are about."""


@router.get("/devices", response_class=Response)
async def show_devices_page(request: Request) -> Response:
    """Show the authority's devices, its recovery keys, and how this browser stands."""
    visit = await visitor(request, Act.ENROL_DEVICE)
    return await _page(request, visit, new_form(visit.form_token), done=request.query_params.get("done", ""))


@router.post("/devices/enrol", response_class=Response)
async def enrol_device(request: Request) -> Response:
    """Put this device on the list, with the public half of the key that its browser made or took over."""
    visit, fields = await visitor_with_form(request, Act.ENROL_DEVICE)
    require_step_up(visit)

    def act() -> str:
        made = enrol.enrol(_gateway(request), by=visit.person, label=fields.get("label", "").strip(), public=fields.get("public", ""))
        return "live" if made.live else "enrolled"

    return await _done(request, visit, {"label": fields.get("label", "")}, act)


@router.post("/devices/approve", response_class=Response)
async def approve_device(request: Request) -> Response:
    """Let the key of a device in that another manager enrolled; the fingerprint is what the device itself shows."""
    visit, fields = await visitor_with_form(request, Act.ENROL_DEVICE)
    require_step_up(visit)

    def act() -> str:
        enrol.approve(_gateway(request), by=visit.person, kid=fields.get("kid", ""), typed=fields.get("fingerprint", ""))
        return "approved"

    return await _done(request, visit, {}, act, of=fields.get("kid", ""))


@router.post("/devices/end", response_class=Response)
async def end_device(request: Request) -> Response:
    """End a device that was lost or replaced: at once, and by one manager."""
    visit, fields = await visitor_with_form(request, Act.ENROL_DEVICE)
    require_step_up(visit)

    def act() -> str:
        ended = enrol.end(_gateway(request), by=visit.person, device=fields.get("kid", ""), reason=fields.get("reason", ""))
        return "ended" if ended.live else "refused"

    return await _done(request, visit, {}, act)


@router.post("/devices/drill", response_class=Response)
async def begin_drill(request: Request) -> Response:
    """Begin a drill of a recovery key."""
    visit, fields = await visitor_with_form(request, Act.ENROL_DEVICE)

    def act() -> str:
        drill.begin(_gateway(request), by=visit.person, kid=fields.get("kid", ""))
        return "drill"

    return await _done(request, visit, {}, act)


@router.get("/devices/drill", response_class=Response)
async def fetch_drill(request: Request) -> Response:
    """Return the file of a drill, which the recovery key alone opens."""
    visit = await visitor(request, Act.ENROL_DEVICE)
    wanted = _an_id(request.query_params.get("id", ""))
    found = await asyncio.to_thread(drill.document_of, _gateway(request), by=visit.person, drill_id=wanted)
    headers = {"Content-Disposition": f'attachment; filename="drill-{found.kid}.json"'}
    return Response(found.document, headers=headers, media_type="application/json")


@router.post("/devices/drill/answer", response_class=Response)
async def answer_drill(request: Request) -> Response:
    """Take the words that the recovery key read."""
    visit, fields = await visitor_with_form(request, Act.ENROL_DEVICE)

    def act() -> str:
        drill.answer(_gateway(request), by=visit.person, drill_id=_an_id(fields.get("id", "")), words=fields.get("answer", ""))
        return "passed"

    return await _done(request, visit, {}, act, of=fields.get("id", ""))


async def _done(request: Request, visit: Visit, typed: dict[str, str], act: Callable[[], str], *, of: str = "") -> Response:
    """Do it and lead back to the page; what the page can say itself is said there, beside the field ``of`` that device or drill."""
    try:
        done = await asyncio.to_thread(act)
    except NotifyError as error:
        beside = SHOWN_BESIDE.get(Code(error.issues[0].code))
        if beside is None:
            raise
        known = entry(error.issues[0].code)
        place = f"{beside}-{of}" if of and beside != "label" else beside
        form = Form(token=visit.form_token, values=typed, faults={place: f"{known.title}. {known.fix}"})
        return await _page(request, visit, form, status=422 if known.status == 422 else 409)
    return Response(status_code=303, headers={"Location": f"{PAGE}?done={done}"})


async def _page(request: Request, visit: Visit, form: Form, *, done: str = "", status: int = 200) -> Response:
    gateway = _gateway(request)
    found = await asyncio.to_thread(show_devices, gateway, by=visit.person)
    presenter = devices_page(gateway, visit.person.organisation, found, form, DONE.get(done, ""))
    return show_page(request, "devices/devices.html", presenter, visit=visit, status=status, area="devices")


def _gateway(request: Request) -> Gateway:
    return service(request).gateway


def _an_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(Issue(Code.DEVICE_UNKNOWN)) from None
