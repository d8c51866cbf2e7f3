# SPDX-License-Identifier: MIT
"""The door of the operations pages: from where they can be reached, who is signed in, and which forms are taken."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request, Response

from notify_gateway.api.http import header, read_body, require_content_type
from notify_gateway.api.limits import address_of
from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed, NotFound, Refused
from notify_gateway.settings import Deployment, OperationsPages, Settings
from notify_gateway.use_cases import operators
from notify_gateway.use_cases.operators import SignedIn

SIGN_IN = "/ops/sign-in"
FORM = "application/x-www-form-urlencoded"
MOST_BODY = 16 * 1024
MOST_FIELDS = 40
FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field, no secret


def require_open(request: Request) -> None:
    """Raise ``NotFound``, as for any address that is not there, unless these pages are served to whoever asks from there."""
    settings, address = service(request).gateway.settings, address_of(request.scope)
    here = _is_loopback(address)
    if settings.operations_pages is OperationsPages.OFF or not (here or _may_come_from_elsewhere(request, settings)):
        raise NotFound(Issue(Code.NO_SUCH_PAGE))


async def viewer(request: Request) -> SignedIn:
    """Return who is signed in; raises ``NotFound`` where there are no such pages, ``NotAllowed`` for whoever has to sign in first."""
    require_open(request)
    cookie = request.cookies.get(cookie_name(request))
    who = await asyncio.to_thread(operators.signed_in, service(request).gateway, cookie=cookie) if cookie else None
    if who is None:
        raise NotAllowed(Issue(Code.TOKEN_MISSING))
    return who


async def actor_with_form(request: Request) -> tuple[SignedIn, Mapping[str, str]]:
    """Return who sent a form of this session, and its fields.

    Raises ``NotAllowed`` for a form from another site or without the session's token, and for an operator who may only look.
    """
    who = await viewer(request)
    fields = await read_form(request)
    if not hmac.compare_digest(fields.get(FORM_TOKEN, "").encode(), who.form_token.encode()):
        raise NotAllowed(Issue(Code.FORM_NOT_OURS))
    return who, fields


def require_may_act(who: SignedIn) -> None:
    """Raise ``NotAllowed`` for an operator who may only look."""
    if not who.may_act:
        raise NotAllowed(Issue(Code.SCOPE_MISSING))


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form; raises ``NotAllowed`` unless a page of this very site sent it, ``Refused`` when it is none."""
    _require_same_site(request)
    require_content_type(request, FORM)
    body = await read_body(request, MOST_BODY)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None
    return dict(pairs)


def cookie_name(request: Request) -> str:
    """Return the name of the cookie. Over https no other host can set one with that prefix; browsers refuse the prefix over http."""
    return "__Host-operations" if request.url.scheme == "https" else "operations"


def give_cookie(request: Request, response: Response, value: str) -> None:
    """Let the browser hold the session: out of reach of scripts, never sent by another site, until the browser is closed."""
    secure = request.url.scheme == "https"
    response.set_cookie(cookie_name(request), value, path="/", secure=secure, httponly=True, samesite="strict")


def take_cookie(request: Request, response: Response) -> None:
    """Let the browser forget the session."""
    secure = request.url.scheme == "https"
    response.delete_cookie(cookie_name(request), path="/", secure=secure, httponly=True, samesite="strict")


def _may_come_from_elsewhere(request: Request, settings: Settings) -> bool:
    # A token in the clear on a network would be anybody's.
    safe = request.url.scheme == "https" or settings.deployment is not Deployment.LIVE
    return settings.operations_pages is OperationsPages.NETWORK and safe


def _require_same_site(request: Request) -> None:
    """Raise ``NotAllowed`` unless the browser says that the form came from here; one that says nothing must name us as the origin."""
    site = header(request, "sec-fetch-site")
    if site is None:
        origin = urlsplit(header(request, "origin") or "")
        if origin.netloc and origin.netloc == header(request, "host") and origin.scheme == request.url.scheme:
            return
    if site != "same-origin":
        raise NotAllowed(Issue(Code.FORM_NOT_OURS))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
