# SPDX-License-Identifier: MIT
"""Somebody's own account: who they are here, where they are signed in, signing out, and what they had typed when their session ended."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from notify_gateway.api.service import service
from notify_gateway.domain import policy
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.policy import Act
from notify_gateway.domain.staff import Role
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members, Session
from notify_gateway.use_cases import staff_sessions
from notify_gateway.use_cases.staff_sessions import Visit
from notify_gateway.web.entrance.answers import CONTINUE, SIGN_IN, see
from notify_gateway.web.entrance.door import cookie_of, take_cookie, visitor, visitor_with_form
from notify_gateway.web.entrance.presenters import AccountPage, ContinuePage, SessionRow
from notify_gateway.web.entrance.sign_in import home
from notify_gateway.web.pages import ROLES, show_page
from notify_gateway.web.wording import instant

router = APIRouter(tags=["People"])

LONG = 3
"""Values of so many characters and more that hold a space are words that somebody typed; the others are codes."""


@router.get("/account", response_class=Response)
async def show_account(request: Request) -> Response:
    """Show who is signed in, as what, and where else."""
    visit = await visitor(request, None)
    gateway, person = service(request).gateway, visit.person
    now = gateway.clock.now()
    sessions = await asyncio.to_thread(_sessions, request, visit)
    authority = gateway.directory.by_gss(person.organisation, london_day(now))
    page = AccountPage(
        name=person.name,
        organisation=authority.name if authority else person.organisation,
        roles=tuple(ROLES[role] for role in Role if role in person.roles),
        sessions=tuple(
            SessionRow(instant(each.created_at), instant(each.seen_at), instant(each.expires_at), each.id == visit.session_id)
            for each in sessions
        ),
        form_token=visit.form_token,
        may_read_inbox=policy.may(person, Act.READ_INBOX),
    )
    return show_page(request, "entrance/account.html", page, visit=visit, area="account")


@router.get("/still-here", response_class=Response)
async def stay_signed_in(request: Request) -> Response:
    """Answer that the session goes on; that it was asked for is what makes it go on."""
    await visitor(request, None)
    return Response(status_code=204)


@router.post("/sign-out", response_class=Response)
async def sign_out(request: Request) -> Response:
    """End the session, on this side and in the browser."""
    visit, _ = await visitor_with_form(request, None)
    await asyncio.to_thread(staff_sessions.sign_out, service(request).gateway, visit)
    return _gone(request)


@router.post("/sign-out/everywhere", response_class=Response)
async def sign_out_everywhere(request: Request) -> Response:
    """End all sessions of whoever asks, wherever their browsers are."""
    visit, _ = await visitor_with_form(request, None)
    await asyncio.to_thread(staff_sessions.sign_out_everywhere, service(request).gateway, visit.person)
    return _gone(request)


@router.get(CONTINUE, response_class=Response)
async def show_typed(request: Request) -> Response:
    """Show what somebody had typed when their session ended, to send it or not."""
    visit = await visitor(request, None)
    cookie = cookie_of(request) or ""
    typed = await asyncio.to_thread(staff_sessions.typed_before, service(request).gateway, visit, cookie=cookie)
    if typed is None:
        return see(home(visit.person))
    words = tuple(value for _, value in typed.fields if len(value) >= LONG and " " in value.strip())
    page = ContinuePage(typed.path, visit.form_token, typed.fields, words)
    return show_page(request, "entrance/continue.html", page, visit=visit)


@router.post("/sign-in/discard", response_class=Response)
async def discard_typed(request: Request) -> Response:
    """Forget what somebody had typed when their session ended."""
    visit, _ = await visitor_with_form(request, None)
    await asyncio.to_thread(staff_sessions.drop_typed, service(request).gateway, visit)
    return see(home(visit.person))


def _sessions(request: Request, visit: Visit) -> list[Session]:
    gateway = service(request).gateway
    with scoped(gateway.engine, visit.person.organisation, reading=True) as connection:
        return Members(connection, visit.person.organisation).sessions(now=gateway.clock.now(), of=visit.person.id)


def _gone(request: Request) -> Response:
    response = see(SIGN_IN, done="signed-out")
    take_cookie(request, response)
    return response
