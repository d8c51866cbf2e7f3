# SPDX-License-Identifier: MIT
"""Opening a card in the officer's browser: a page that asks why, and the hand-over of what is sealed, which the page's script opens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.policy import Act, may
from notify_gateway.use_cases.devices.hand_over import Asked, Handed, hand_over, running, sealed_for
from notify_gateway.use_cases.devices.to_file import sealed_file
from notify_gateway.use_cases.inbox.settings import show_settings
from notify_gateway.web.devices.presenters import REASONS, CardPage, gateway_key
from notify_gateway.web.entrance.door import Visit, require_step_up, visitor, visitor_with_form
from notify_gateway.web.forms import Form, new_form
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])

_TITLES: Final = {"card": "The child’s details", "original": "The original message"}


@router.get("/notifications/{reference}/card", response_class=Response)
async def show_card_page(request: Request, reference: str) -> Response:
    """Show the page on which a card is opened; nothing is handed over yet."""
    visit = await visitor(request, Act.REVEAL_CARD)
    return await _page(request, visit, reference, "card")


@router.get("/notifications/{reference}/card/original", response_class=Response)
async def show_original_page(request: Request, reference: str) -> Response:
    """Show the page on which a manager, freshly signed in, opens the original."""
    visit = await visitor(request, Act.REVEAL_ORIGINAL)
    require_step_up(visit)
    return await _page(request, visit, reference, "original")


@router.post("/notifications/{reference}/card/sealed", response_class=Response)
async def hand_card_over(request: Request, reference: str) -> Response:
    """Hand the sealed card over, with the sealed notes, to be opened by the key of this device. The reason is in the log first."""
    visit, fields = await visitor_with_form(request, Act.REVEAL_CARD)
    return await _handed(request, visit, _asked(reference, "card", fields))


@router.post("/notifications/{reference}/card/original/sealed", response_class=Response)
async def hand_original_over(request: Request, reference: str) -> Response:
    """Hand the sealed original over, for a second reason, to a manager who has just proved who they are."""
    visit, fields = await visitor_with_form(request, Act.REVEAL_ORIGINAL)
    require_step_up(visit)
    return await _handed(request, visit, _asked(reference, "original", fields))


@router.post("/notifications/{reference}/card/file", response_class=Response)
async def save_card_sealed(request: Request, reference: str) -> Response:
    """Hand the sealed card over as a file for the command, on a machine that has a key: without scripts, and for the recovery key."""
    visit, fields = await visitor_with_form(request, Act.REVEAL_CARD)
    given = {"reason": fields.get("file_reason", ""), "case_reference": fields.get("file_case_reference", "").strip()}
    service(request).require_healthy()
    act = partial(sealed_file, service(request).gateway, by=visit.person, reference=reference, lasts=await _window(request, visit), **given)
    try:
        document = await asyncio.to_thread(act)
    except Refused as error:
        if error.issues[0].code != Code.REVEAL_REASON_MISSING:
            raise
        faults = {} if given["reason"] else {"file_reason": "Select why you need to see who this child is"}
        faults |= {} if faults else {"file_case_reference": "Enter your case reference: letters, digits, hyphens and slashes"}
        form = Form(token=visit.form_token, values=dict(fields), faults=faults)
        return await _page(request, visit, reference, "card", form)
    headers = {"Content-Disposition": f'attachment; filename="{reference}.json"'}
    return Response(document, headers=headers, media_type="application/json")


def _asked(reference: str, kind: Handed, fields: Mapping[str, str]) -> Asked:
    given = {name: fields.get(name, "").strip() for name in ("kid", "reason", "case_reference")}
    return Asked(reference=reference, kind=kind, **given)


async def _handed(request: Request, visit: Visit, asked: Asked) -> Response:
    service(request).require_healthy()
    lasts = await _window(request, visit)
    document = await asyncio.to_thread(hand_over, service(request).gateway, by=visit.person, asked=asked, lasts=lasts)
    return Response(document, media_type="application/json")


async def _window(request: Request, visit: Visit) -> timedelta:
    """Return for how long the authority lets a card be shown."""
    return (await asyncio.to_thread(show_settings, service(request).gateway, visit.person)).reveal_window


async def _page(request: Request, visit: Visit, reference: str, kind: Handed, form: Form | None = None) -> Response:
    gateway = service(request).gateway
    notification = await asyncio.to_thread(sealed_for, gateway, by=visit.person, reference=reference)
    held = await asyncio.to_thread(running, gateway, by=visit.person, notification_id=notification, kind=kind)
    here = f"/notifications/{reference}"
    presenter = CardPage(
        kind=kind,
        title=_TITLES[kind],
        reference=reference,
        back=here,
        address=f"{here}/card/sealed" if kind == "card" else f"{here}/card/original/sealed",
        authority=visit.person.organisation,
        notification=str(notification),
        gateway=gateway_key(gateway),
        # Of the original every look is asked for; a card that was asked for opens again by itself while the time runs.
        running="yes" if held is not None and kind == "card" else "no",
        reasons=REASONS,
        form=form or new_form(visit.form_token),
        file=f"{here}/card/file" if kind == "card" else "",
        original=f"{here}/card/original" if kind == "card" and may(visit.person, Act.REVEAL_ORIGINAL) else "",
    )
    return show_page(request, "devices/card.html", presenter, visit=visit, status=422 if form else 200, area="inbox")
