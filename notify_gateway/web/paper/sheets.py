# SPDX-License-Identifier: MIT
"""Paper: a notification on one sheet, a copy for the parent, a pack for a panel; each as a page to print and as PDF/UA.

Nothing of it holds identity. Where the authority holds its own key, the script of the page may fill in who a child is, in the officer's
browser and while their permission runs; what is filled in is sent nowhere.
"""

from __future__ import annotations

import asyncio
import re
from functools import cache, partial
from importlib import resources
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.policy import Act
from notify_gateway.settings import Deployment
from notify_gateway.use_cases.devices.hand_over import running
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox import printing, settings
from notify_gateway.use_cases.inbox.printing import Kind, Medium
from notify_gateway.use_cases.inbox.read import Case
from notify_gateway.web.devices.presenters import gateway_key
from notify_gateway.web.entrance.door import Visit, form_lists, visitor, visitor_with_form
from notify_gateway.web.inbox.asked import MOST_QUERY
from notify_gateway.web.inbox.desk import gateway_of, see
from notify_gateway.web.inbox.identity_state import CLOSED
from notify_gateway.web.pages import frame_of, render, show_page
from notify_gateway.web.paper import parents, presenters
from notify_gateway.web.paper.presenters import Child, Paper
from notify_gateway.web.paper.press import Press
from notify_gateway.web.wording import instant

router = APIRouter(tags=["Inbox"])

PDF: Final = "application/pdf"
_REFERENCE: Final = re.compile(r"[0-9A-Z-]{1,20}")


@router.get("/notifications/{reference}/print", response_class=Response)
async def show_sheet(request: Request, reference: str) -> Response:
    """Show the notification as it goes on one sheet of paper."""
    visit = await visitor(request, Act.DOWNLOAD)
    return _page(request, visit, await _sheet(request, visit, reference, "page"))


@router.get("/notifications/{reference}/notification.pdf", response_class=Response)
async def make_sheet(request: Request, reference: str) -> Response:
    """Return the sheet as PDF/UA."""
    visit = await visitor(request, Act.DOWNLOAD)
    return await _pdf(request, visit, await _sheet(request, visit, reference, "pdf"), f"{reference}.pdf")


@router.get("/notifications/{reference}/parent-copy", response_class=Response)
async def show_parent_copy(request: Request, reference: str) -> Response:
    """Show what a parent is given: in plain words what was said, to whom, when, and what comes next."""
    visit = await visitor(request, Act.DOWNLOAD)
    return _page(request, visit, await _copy(request, visit, reference, "page"))


@router.get("/notifications/{reference}/parent-copy.pdf", response_class=Response)
async def make_parent_copy(request: Request, reference: str) -> Response:
    """Return the parent's copy as PDF/UA."""
    visit = await visitor(request, Act.DOWNLOAD)
    return await _pdf(request, visit, await _copy(request, visit, reference, "pdf"), f"{reference}-parent-copy.pdf")


@router.post("/inbox/panel", response_class=Response)
async def choose_for_panel(request: Request) -> Response:
    """Lead from the list to the pack of what was ticked."""
    _, fields = await visitor_with_form(request, Act.DOWNLOAD)
    ticked = _references([each.partition(":")[0] for each in form_lists(fields, "case")])
    return see("/inbox/panel?" + "&".join(f"case={each}" for each in ticked))


@router.get("/inbox/panel", response_class=Response)
async def show_pack(request: Request) -> Response:
    """Show a pack for a panel: a list, then a sheet for each notification."""
    visit = await visitor(request, Act.DOWNLOAD)
    return _page(request, visit, await _pack(request, visit, "page"))


@router.get("/inbox/panel.pdf", response_class=Response)
async def make_pack(request: Request) -> Response:
    """Return the pack as PDF/UA."""
    visit = await visitor(request, Act.DOWNLOAD)
    return await _pdf(request, visit, await _pack(request, visit, "pdf"), "panel-pack.pdf")


async def _sheet(request: Request, visit: Visit, reference: str, medium: Medium) -> Paper:
    gateway = gateway_of(request)
    case = await _one(gateway, visit, reference, Kind.SHEET, medium)
    child = (await _children(gateway, visit, [case], medium))[0]
    here = f"/notifications/{case.row.reference}"
    return Paper(
        title=f"Notification {case.row.reference}",
        back=here,
        back_words="Back to the notification",
        pdf=f"{here}/notification.pdf",
        printed=_printed(gateway, visit),
        fills=child.address != "",
        form_token=visit.form_token,
        sheets=(presenters.sheet(case, authority=_name(gateway, visit), child=child),),
    )


async def _copy(request: Request, visit: Visit, reference: str, medium: Medium) -> Paper:
    gateway = gateway_of(request)
    case = await _one(gateway, visit, reference, Kind.PARENT_COPY, medium)
    child = (await _children(gateway, visit, [case], medium))[0]
    held = await asyncio.to_thread(settings.show_settings, gateway, visit.person)
    here, name = f"/notifications/{case.row.reference}", _name(gateway, visit)
    copy = parents.parent_copy(case, authority=name, settings=held, held_by_authority=_holds_key(gateway, visit), child=child)
    return Paper(
        title=f"Copy for the parent, {case.row.reference}",
        back=here,
        back_words="Back to the notification",
        pdf=f"{here}/parent-copy.pdf",
        printed=f"Made on {instant(gateway.clock.now())} by {name}.{_made_up(gateway)}",
        fills=child.address != "",
        form_token=visit.form_token,
        parent=copy,
    )


async def _pack(request: Request, visit: Visit, medium: Medium) -> Paper:
    if len(request.url.query) > MOST_QUERY:
        raise Refused(Issue(Code.PARAMETER_INVALID))
    gateway = gateway_of(request)
    chosen = _references(request.query_params.getlist("case"))
    made = partial(printing.print_pack, gateway, by=visit.person, references=chosen, medium=medium)
    cases = await asyncio.to_thread(made)
    children = await _children(gateway, visit, list(cases), medium)
    name = _name(gateway, visit)
    return Paper(
        title="Pack for a panel",
        back="/inbox",
        back_words="Back to the inbox",
        pdf="/inbox/panel.pdf?" + "&".join(f"case={each}" for each in chosen),
        printed=_printed(gateway, visit),
        fills=any(each.address for each in children),
        form_token=visit.form_token,
        cover=presenters.cover(cases, authority=name),
        sheets=tuple(presenters.sheet(case, authority=name, child=child, panel=True) for case, child in zip(cases, children, strict=True)),
    )


async def _one(gateway: Gateway, visit: Visit, reference: str, kind: Kind, medium: Medium) -> Case:
    made = partial(printing.print_one, gateway, by=visit.person, reference=reference, kind=kind, medium=medium)
    return await asyncio.to_thread(made)


def _references(given: list[str]) -> list[str]:
    if not all(_REFERENCE.fullmatch(each) for each in given):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return printing.wanted(given)


async def _children(gateway: Gateway, visit: Visit, cases: list[Case], medium: Medium) -> list[Child]:
    """Return what the browser needs to fill in each child: nothing on a PDF, nor where the service keeps the key."""
    if medium == "pdf" or not _holds_key(gateway, visit):
        return [Child(ready=False)] * len(cases)
    public = gateway_key(gateway).public
    ready = await asyncio.to_thread(lambda: [_is_running(gateway, visit, case) for case in cases])
    return [
        Child(
            ready=may,
            address=f"/notifications/{case.row.reference}/card/sealed",
            authority=visit.person.organisation,
            notification=str(case.notification_id),
            gateway_public=public,
        )
        for case, may in zip(cases, ready, strict=True)
    ]


def _is_running(gateway: Gateway, visit: Visit, case: Case) -> bool:
    if case.erased or case.row.status in CLOSED:
        return False
    return running(gateway, by=visit.person, notification_id=case.notification_id, kind="card") is not None


def _holds_key(gateway: Gateway, visit: Visit) -> bool:
    receiver = gateway.receivers.get().get(visit.person.organisation)
    return receiver is not None and receiver.custody != "managed"


def _name(gateway: Gateway, visit: Visit) -> str:
    found = gateway.directory.by_gss(visit.person.organisation, london_day(gateway.clock.now()))
    return found.name if found else visit.person.organisation


def _printed(gateway: Gateway, visit: Visit) -> str:
    return f"Printed by {visit.person.name}, {_name(gateway, visit)}, {instant(gateway.clock.now())}.{_made_up(gateway)}"


def _made_up(gateway: Gateway) -> str:
    return "" if gateway.settings.deployment is Deployment.LIVE else " Practice: made up."


def _page(request: Request, visit: Visit, paper: Paper) -> Response:
    return show_page(request, "paper/page.html", paper, visit=visit, area="inbox")


async def _pdf(request: Request, visit: Visit, paper: Paper, name: str) -> Response:
    press: Press = request.app.state.press
    html = render("paper/pdf.html", paper, frame_of(request, visit, area=""))
    made = await press.pdf(html, style())
    return Response(made, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type=PDF)


@cache
def style() -> str:
    """Return the style sheet of paper."""
    return resources.files("notify_gateway.web").joinpath("static", "paper.css").read_text(encoding="utf-8")
