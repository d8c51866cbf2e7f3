# SPDX-License-Identifier: MIT
"""Deliveries by authority and channel: what waits, whether the authority answers, and hours in which it is away by plan."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Issue, NotFound, Refused
from notify_gateway.domain.operating import DowntimeReason
from notify_gateway.store import parties
from notify_gateway.store.engine import reading
from notify_gateway.use_cases import downtime
from notify_gateway.use_cases.flows import Flows, show_flows
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.operators import SignedIn
from notify_gateway.use_cases.try_channel import Tried, try_channel
from notify_gateway.web.operations.asked import instant, one_of, uuid
from notify_gateway.web.operations.desk import desk
from notify_gateway.web.operations.door import actor_with_form, require_may_act, viewer
from notify_gateway.web.operations.showing import page

router = APIRouter(tags=["Operating"])

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DONE = {"planned": "Planned. Nothing goes out in those hours, and nobody is alarmed.", "ended": "Ended. What is due goes out again."}


@router.get("/ops/deliveries", response_class=Response)
async def show_deliveries(request: Request) -> Response:
    """Show each authority by each channel: what waits, the last success, how it answers, planned downtime."""
    who = await viewer(request)
    found = await asyncio.to_thread(show_flows, service(request).gateway)
    tried = _tried(found, request.query_params)
    told = tried.sentence if tried else _DONE.get(request.query_params.get("done", ""))
    well = tried is None or tried.well
    return page("deliveries.html", who, at=found.at, found=found, done=told, well=well, may_try=desk(request).reach is not None)


@router.post("/ops/deliveries/test", response_class=Response)
async def try_delivery_channel(request: Request) -> Response:
    """Try whether an authority's channel lets us in. Nothing is sent: a test can never be taken for a child's notification."""
    who, fields = await actor_with_form(request)
    require_may_act(who)
    reach = desk(request).reach
    if reach is None:
        raise NotFound(Issue(Code.NO_SUCH_PAGE))
    done = await asyncio.to_thread(try_channel, service(request).gateway, reach, authority=fields.get("authority", ""), actor=who.actor)
    return Response(status_code=303, headers={"Location": "/ops/deliveries?" + urlencode({"tried": done.authority, "code": done.code})})


@router.get("/ops/deliveries/downtime", response_class=Response)
async def ask_for_downtime(request: Request) -> Response:
    """Ask when an authority's system will be away."""
    who = await viewer(request)
    return await _form(service(request).gateway, who, request.query_params, None)


@router.post("/ops/deliveries/downtime", response_class=Response)
async def plan_downtime(request: Request) -> Response:
    """Keep that an authority's system will be away; what is due in those hours goes out when they are over."""
    who, fields = await actor_with_form(request)
    require_may_act(who)
    core = service(request).gateway
    try:
        await asyncio.to_thread(
            downtime.plan_downtime,
            core,
            authority=fields.get("authority", ""),
            starts_at=instant(fields.get("starts_at", "")),
            ends_at=instant(fields.get("ends_at", "")),
            reason=one_of(DowntimeReason, fields.get("reason", "")),
            actor=who.actor,
        )
    except Refused as error:
        code = error.issues[0].code
        fault = entry(code).title if code == Code.DOWNTIME_SPAN else "Give a beginning, an end and a reason"
        return await _form(core, who, fields, fault)
    except NotFound as error:
        return await _form(core, who, fields, entry(error.issues[0].code).title)
    return _see("planned")


@router.post("/ops/deliveries/downtime/end", response_class=Response)
async def end_downtime(request: Request) -> Response:
    """End a planned downtime before its time, or call it off."""
    who, fields = await actor_with_form(request)
    require_may_act(who)
    await asyncio.to_thread(downtime.end_downtime, service(request).gateway, downtime_id=uuid(fields.get("id", "")), actor=who.actor)
    return _see("ended")


async def _form(core: Core, who: SignedIn, given: Mapping[str, str], fault: str | None) -> Response:
    authorities = await asyncio.to_thread(_authorities, core)
    values = {name: given.get(name, "")[:40] for name in ("authority", "starts_at", "ends_at", "reason")}
    more = {"authorities": authorities, "given": values, "fault": fault, "reasons": list(DowntimeReason)}
    return page("downtime.html", who, at=core.clock.now(), status=422 if fault else 200, **more)


def _tried(found: Flows, given: Mapping[str, str]) -> Tried | None:
    for each in found.flows:
        if each.current and each.going.flow.authority == given.get("tried") and _CODE.fullmatch(given.get("code", "")):
            return Tried(each.going.flow.authority, each.name, each.going.flow.channel, given["code"])
    return None


def _authorities(core: Core) -> list[tuple[str, str]]:
    with reading(core.engine).begin() as connection:
        return [(each.gss, each.name) for each in parties.receivers(connection).values()]


def _see(done: str) -> Response:
    return Response(status_code=303, headers={"Location": f"/ops/deliveries?{urlencode({'done': done})}"})
