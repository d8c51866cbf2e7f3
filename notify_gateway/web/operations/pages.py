# SPDX-License-Identifier: MIT
"""Pages that show how the service stands: home, queues, keys, checks. They change nothing."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from notify_gateway.api.http import header, json_response
from notify_gateway.api.service import service
from notify_gateway.domain.standing import Level, worst
from notify_gateway.use_cases.access import OPERATIONS_READ
from notify_gateway.use_cases.at_a_glance import home
from notify_gateway.use_cases.queues import queues
from notify_gateway.use_cases.show_keys import all_keys
from notify_gateway.web.operations.desk import desk
from notify_gateway.web.operations.door import require_open, viewer
from notify_gateway.web.operations.showing import page

router = APIRouter(tags=["Operating"])


@router.get("/ops", response_class=Response)
async def show_operations(request: Request) -> Response:
    """Say in sentences how the service stands."""
    who, gateway = await viewer(request), service(request).gateway
    findings = await asyncio.to_thread(desk(request).findings)
    found = await asyncio.to_thread(home, gateway, findings)
    return page("home.html", who, at=found.at, home=found)


@router.get("/ops/queues", response_class=Response)
async def show_queues(request: Request) -> Response:
    """Show what waits, for how long, and which workers hold something."""
    who = await viewer(request)
    found = await asyncio.to_thread(queues, service(request).gateway)
    return page("queues.html", who, at=found.at, found=found)


@router.get("/ops/keys", response_class=Response)
async def show_keys(request: Request) -> Response:
    """Show the public side of all keys, ours and our partners', and when tokens end."""
    who = await viewer(request)
    found = await asyncio.to_thread(all_keys, service(request).gateway)
    return page("keys.html", who, at=found.at, found=found)


@router.get("/ops/checks", response_class=Response)
async def show_checks(request: Request) -> Response:
    """Show what doctor finds on the gateway's machine, and how to mend it."""
    who = await viewer(request)
    findings = await asyncio.to_thread(desk(request).findings)
    now = service(request).gateway.clock.now()
    order = (Level.FAIL, Level.WARN, Level.UNKNOWN, Level.OK)
    checks = [(Level(each.state), each) for each in findings or ()]
    checks.sort(key=lambda pair: order.index(pair[0]))
    return page("checks.html", who, at=now, looked=findings is not None, checks=checks, level=worst(level for level, _ in checks))


@router.get("/ops/checks.json", response_class=Response)
async def list_checks(request: Request) -> Response:
    """Return what doctor finds, for monitoring: with an operator's token as the bearer token, or in a session."""
    require_open(request)
    if header(request, "authorization") is None:
        await viewer(request)
    else:
        await service(request).admit(request, OPERATIONS_READ)
    findings = await asyncio.to_thread(desk(request).findings) or ()
    checks = [{"name": each.name, "state": each.state, "value": each.value, "fix": each.fix} for each in findings]
    counted = {name: sum(each.state == level for each in findings) for name, level in (("failed", Level.FAIL), ("warned", Level.WARN))}
    return json_response({**counted, "checks": checks})
