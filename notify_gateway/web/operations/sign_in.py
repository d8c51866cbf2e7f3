# SPDX-License-Identifier: MIT
"""Signing in at the operations pages with an operator's token, once; and signing out."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from notify_gateway.api.limits import address_of
from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import entry
from notify_gateway.domain.errors import NotAllowed
from notify_gateway.use_cases import operators
from notify_gateway.web.operations.desk import desk
from notify_gateway.web.operations.door import (
    SIGN_IN,
    actor_with_form,
    give_cookie,
    read_form,
    require_open,
    take_cookie,
)
from notify_gateway.web.rendering import show

router = APIRouter(tags=["Operating"])


@router.get(SIGN_IN, response_class=Response)
async def show_operator_sign_in(request: Request) -> Response:
    """Ask for an operator's token."""
    require_open(request)
    return show("operations/sign_in.html", fault=None)


@router.post(SIGN_IN, response_class=Response)
async def sign_operator_in(request: Request) -> Response:
    """Open a session for an operator; the browser holds a cookie from then on, and the token is not kept."""
    require_open(request)
    parts = service(request)
    token = (await read_form(request)).get("token", "").strip()
    try:
        with parts.limits.signing_in(address_of(request.scope), token):
            opened = await asyncio.to_thread(operators.sign_in, parts.gateway, desk(request).denials, token=token)
    except NotAllowed as error:
        return show("operations/sign_in.html", status=403, fault=entry(error.issues[0].code))
    response = Response(status_code=303, headers={"Location": "/ops"})
    give_cookie(request, response, opened.cookie)
    return response


@router.post("/ops/sign-out", response_class=Response)
async def sign_operator_out(request: Request) -> Response:
    """End the session, on this side and in the browser."""
    who, _ = await actor_with_form(request)
    await asyncio.to_thread(operators.sign_out, service(request).gateway, who)
    response = Response(status_code=303, headers={"Location": SIGN_IN})
    take_cookie(request, response)
    return response
