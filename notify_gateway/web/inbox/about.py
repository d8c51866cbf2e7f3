# SPDX-License-Identifier: MIT
"""Help, privacy, accessibility, and the gallery of components, which is never in a live deployment. Nothing here is about anybody."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import STATUSES
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed, NotFound
from notify_gateway.settings import Deployment
from notify_gateway.web.entrance.door import Visit, visitor
from notify_gateway.web.forms import Form, Option
from notify_gateway.web.inbox.case_presenter import Fact
from notify_gateway.web.inbox.desk import gateway_of
from notify_gateway.web.inbox.history_presenter import Entry
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A page of plain words, which are in its template."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Every pattern in every state."""

    tags: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]
    facts: tuple[Fact, ...]
    options: tuple[Option, ...]
    faulty: Form


@router.get("/help", response_class=Response)
async def show_help(request: Request) -> Response:
    """Say what a notification is and what to do with one."""
    return show_page(request, "inbox/help.html", Said(title="Help"), visit=await _maybe(request))


@router.get("/privacy", response_class=Response)
async def show_privacy(request: Request) -> Response:
    """Say what is kept about whom."""
    return show_page(request, "inbox/privacy.html", Said(title="Privacy"), visit=await _maybe(request))


@router.get("/accessibility", response_class=Response)
async def show_accessibility(request: Request) -> Response:
    """Say how the pages can be used, and how that is tested."""
    return show_page(request, "inbox/accessibility.html", Said(title="Accessibility statement"), visit=await _maybe(request))


@router.get("/nonprod/components", response_class=Response)
async def show_components(request: Request) -> Response:
    """Show every pattern in every state. Not in a live deployment."""
    if gateway_of(request).settings.deployment is Deployment.LIVE:
        raise NotFound(Issue(Code.NO_SUCH_PAGE))
    return show_page(request, "inbox/components.html", gallery(), visit=await _maybe(request))


def gallery() -> Gallery:
    """Return every pattern in every state."""
    wrong = dict.fromkeys(("choice", "tick", "name", "note", "kind", "on"), "Say what it is")
    given = {
        "choice": "two",
        "tick": "yes",
        "name": "Typed",
        "note": "Written",
        "kind": "one",
        "on-day": "31",
        "on-month": "2",
        "on-year": "2026",
    }
    return Gallery(
        tags=tuple((known.label, known.colour) for known in STATUSES.values()),
        entries=(
            Entry("Acknowledged", "Sam Carter", "20 November 2026 at 9:32am", "2026-11-20T09:32:00+00:00", ("Log entry 18,204",), False),
            Entry("Received", "", "19 November 2026 at 4:04pm", "2026-11-19T16:04:00+00:00", (), True),
        ),
        facts=(
            Fact("Told", ("19 November 2026", "by a letter")),
            Fact("Offered", ("The trust did not say",), True, "#facts", "Ask the trust"),
        ),
        options=(Option("one", "The first", "With a hint"), Option("two", "The second")),
        faulty=Form(token="", values=given, faults=wrong, dates=frozenset({"on"}), changes=("Acknowledged by Robin Lee, today at 9:32am",)),
    )


async def _maybe(request: Request) -> Visit | None:
    try:
        return await visitor(request, None)
    except NotAllowed:
        return None
