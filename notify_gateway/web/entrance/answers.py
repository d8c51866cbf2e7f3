# SPDX-License-Identifier: MIT
"""What a person's browser is answered when something is refused; machines get problem details, as everywhere."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from fastapi import Request, Response

from notify_gateway.api.http import error_response
from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import NotifyError
from notify_gateway.domain.policy import TABLE, Act
from notify_gateway.domain.staff import Role
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.use_cases.staff_sessions import Visit
from notify_gateway.web.entrance.door import keep
from notify_gateway.web.entrance.presenters import RefusedPage
from notify_gateway.web.pages import ROLES, show_page

SIGN_IN, AGAIN, CONTINUE = "/sign-in", "/sign-in/again", "/sign-in/continue"
MOST_NAMED = 5


def is_for_people(request: Request) -> bool:
    """Tell whether a page for people was asked for, by whoever reads pages."""
    return bool(getattr(request.state, "staff_page", False)) and "text/html" in request.headers.get("accept", "")


async def refusal(request: Request, error: NotifyError) -> Response:
    """Return the way to the sign-in page for whoever has to sign in, else a page that says what to do."""
    code = error.issues[0].code
    if code == Code.STAFF_STEP_UP:
        if request.method in ("GET", "HEAD"):
            return see(AGAIN, next=_place(request))
        # A link leads on from here: the policy that keeps forms on this site would stop the browser at the provider's door.
        await keep(request)
        return await _page(request, error)
    kept = bool(getattr(request.state, "staff_kept", False))
    if code == Code.FORM_NOT_OURS and kept:
        return see(CONTINUE)
    if code == Code.TOKEN_MISSING:
        return see(SIGN_IN, kept="1") if kept else see(SIGN_IN, next=_place(request))
    return await _page(request, error)


def see(path: str, **query: str) -> Response:
    """Return the way to another page of ours; an empty parameter is left out."""
    given = {name: value for name, value in query.items() if value}
    return Response(status_code=303, headers={"Location": f"{path}?{urlencode(given)}" if given else path})


async def _page(request: Request, error: NotifyError) -> Response:
    code = error.issues[0].code
    known, visit = entry(code), getattr(request.state, "staff_visit", None)
    act: Act | None = getattr(request.state, "staff_act", None)
    title, why, fix = known.title, known.why, known.fix
    roles: tuple[str, ...] = ()
    grantors: tuple[str, ...] = ()
    if code == Code.SCOPE_MISSING and visit is not None and act is not None:
        title, why = "You may not do this", "It is for others in your organisation."
        fix = (
            "What you may do follows from your groups at your organisation’s sign-in. Ask to be put into the right one, then sign in again."
        )
        roles = tuple(ROLES[role] for role in Role if role in TABLE[act])
        grantors = await asyncio.to_thread(_managers, request, visit)
    answer = error_response(request, error)
    way = (AGAIN, "Sign in once more") if code == Code.STAFF_STEP_UP else (SIGN_IN, "Go to the sign-in page") if visit is None else None
    page = show_page(
        request,
        "entrance/refused.html",
        RefusedPage(title, why, fix, known.code.value, way, roles, grantors),
        visit=visit,
        status=known.status,
    )
    if "retry-after" in answer.headers:
        page.headers["Retry-After"] = answer.headers["retry-after"]
    return page


def _managers(request: Request, visit: Visit) -> tuple[str, ...]:
    organisation = visit.person.organisation
    with scoped(service(request).gateway.engine, organisation, reading=True) as connection:
        members = Members(connection, organisation).all()
    return tuple(each.name for each in members if Role.MANAGER in each.roles and each.closed_at is None)[:MOST_NAMED]


def _place(request: Request) -> str:
    """Return where somebody was going; a form goes nowhere without its fields."""
    if request.method not in ("GET", "HEAD"):
        return ""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
