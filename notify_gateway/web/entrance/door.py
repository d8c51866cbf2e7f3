# SPDX-License-Identifier: MIT
"""The door of every page for people: who is signed in, what they may do, and which forms are taken.

A page's endpoint begins with ``visit = await visitor(request, Act.…)``, one that takes a form with
``visit, fields = await visitor_with_form(request, Act.…)``. What they raise ``answers`` answers: with the way to the sign-in page, or with
a page that says what to do.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping

from fastapi import Request, Response

from notify_gateway.api.service import service
from notify_gateway.domain import policy
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed
from notify_gateway.domain.policy import Act
from notify_gateway.use_cases import staff_sessions
from notify_gateway.use_cases.staff_sessions import Lapsed, Visit, require_step_up
from notify_gateway.web.entrance.desk import entrance
from notify_gateway.web.entrance.forms import FORM_TOKEN, KEPT, Form, form_lists, read_form

__all__ = ["FORM_TOKEN", "KEPT", "Visit", "form_lists", "require_step_up", "visitor", "visitor_with_form"]


async def visitor(request: Request, act: Act | None) -> Visit:
    """Return who is signed in and may do this; ``None`` is what everybody may who is signed in.

    Raises ``NotAllowed`` with ``TOKEN_MISSING`` for whoever has to sign in first, with ``SCOPE_MISSING`` for whoever may not.
    """
    mark(request, act)
    found = await _look(request)
    if not isinstance(found, Visit):
        raise NotAllowed(Issue(Code.TOKEN_MISSING))
    return await _allowed(request, found, act)


async def visitor_with_form(request: Request, act: Act | None) -> tuple[Visit, Mapping[str, str]]:
    """Return who sent a form of this session, and its fields; those that may come several times are read by ``form_lists``.

    Raises as ``visitor`` does, ``NotAllowed`` for a form from another site or without the session's token, and ``Refused`` for what is no
    form. What the form of a session that ended by itself holds is kept for its owner, sealed.
    """
    mark(request, act)
    found = await _look(request)
    if found is None:
        raise NotAllowed(Issue(Code.TOKEN_MISSING))
    form = await read_form(request)
    fields = Form(tuple(pair for pair in form.pairs if pair[0] not in (FORM_TOKEN, KEPT)))
    request.state.staff_form = fields
    await _require_token(request, found, form.get(FORM_TOKEN, ""))
    if isinstance(found, Lapsed):
        await keep(request)
        raise NotAllowed(Issue(Code.TOKEN_MISSING))
    visit = await _allowed(request, found, act)
    if KEPT in form:
        await asyncio.to_thread(staff_sessions.drop_typed, service(request).gateway, visit)
    return visit, fields


async def look_who(request: Request) -> Visit | None:
    """Return who is signed in, if anybody is."""
    found = await _look(request)
    return found if isinstance(found, Visit) else None


def mark(request: Request, act: Act | None = None) -> None:
    """Let whatever is raised from here on be answered with a page for people."""
    request.state.staff_page = True
    request.state.staff_act = act


async def keep(request: Request) -> None:
    """Keep the form that was sent, for the time that its owner needs to sign in again."""
    form: Form | None = getattr(request.state, "staff_form", None)
    cookie = cookie_of(request)
    if form is None or cookie is None:
        return
    gateway, path = service(request).gateway, request.url.path
    await asyncio.to_thread(staff_sessions.keep_typed, gateway, cookie=cookie, path=path, fields=form.pairs)
    request.state.staff_kept = True


def cookie_name(request: Request, what: str = "staff") -> str:
    """Return the name of a cookie. Over https no other host can set one with that prefix; browsers refuse the prefix over http."""
    return f"__Host-{what}" if request.url.scheme == "https" else what


def cookie_of(request: Request, what: str = "staff") -> str | None:
    """Return what the browser holds; None where it holds nothing, or what was never ours."""
    value = request.cookies.get(cookie_name(request, what))
    return value if value and len(value) <= 100 else None


def give_cookie(request: Request, response: Response, value: str, what: str = "staff") -> None:
    """Let the browser hold it: out of reach of scripts, sent by no form of another site, until the browser is closed."""
    secure = request.url.scheme == "https"
    # Lax, for the way back from the identity provider is a link from another site.
    response.set_cookie(cookie_name(request, what), value, path="/", secure=secure, httponly=True, samesite="lax")


def take_cookie(request: Request, response: Response, what: str = "staff") -> None:
    """Let the browser forget it."""
    secure = request.url.scheme == "https"
    response.delete_cookie(cookie_name(request, what), path="/", secure=secure, httponly=True, samesite="lax")


async def _require_token(request: Request, found: Visit | Lapsed, token: str) -> None:
    if hmac.compare_digest(token.encode(), found.form_token.encode()):
        return
    if isinstance(found, Visit) and staff_sessions.is_of_an_earlier_session(token, found):
        await keep(request)  # they have signed in again in another window: they look at it again, and send it
    raise NotAllowed(Issue(Code.FORM_NOT_OURS))


async def _look(request: Request) -> Visit | Lapsed | None:
    cookie = cookie_of(request)
    return await asyncio.to_thread(staff_sessions.look, service(request).gateway, cookie) if cookie else None


async def _allowed(request: Request, visit: Visit, act: Act | None) -> Visit:
    request.state.staff_visit = visit
    if act is None:
        return visit
    try:
        policy.require(visit.person, act)
    except NotAllowed as error:
        record = entrance(request).denials.record
        await asyncio.to_thread(record, error.issues[0].code, actor=visit.person.actor, organisation=visit.person.organisation)
        raise
    return visit
