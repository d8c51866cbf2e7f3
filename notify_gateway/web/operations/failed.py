# SPDX-License-Identifier: MIT
"""Failed work: grouped by cause, retried together after a look at what would happen; one delivery parked or given up."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from notify_gateway.api.service import service
from notify_gateway.domain.operating import GiveUpReason, ParkReason, RetryReason
from notify_gateway.store.operating import Matching, Trouble
from notify_gateway.use_cases import operate
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.operators import SignedIn
from notify_gateway.use_cases.show_delivery import show_delivery as look_at
from notify_gateway.web.operations.asked import fields_of, matching, one_of, query_of, uuid
from notify_gateway.web.operations.door import actor_with_form, require_may_act, viewer
from notify_gateway.web.operations.showing import page

router = APIRouter(tags=["Operating"])

LISTED = 50
RETRY = "/ops/failed/retry"
_COUNTS = ("retried", "held", "left")
_DONE = {"retried": "Queued anew.", "nothing": "Nothing was to be done.", "parked": "Parked.", "given-up": "Given up. The trust sees it."}


@router.get("/ops/failed", response_class=Response)
async def show_failed_work(request: Request) -> Response:
    """Show failing and parked deliveries grouped by code, authority and channel, and the oldest of them one by one."""
    who, core = await viewer(request), service(request).gateway
    wanted = matching(request.query_params)
    groups = await asyncio.to_thread(operate.list_troubles, core, matching=wanted)
    everything = groups if not fields_of(wanted) else await asyncio.to_thread(operate.list_troubles, core)
    found = await asyncio.to_thread(operate.list_deliveries, core, matching=wanted, limit=LISTED * 4)
    counts = {name: _number(request.query_params.get(name, "")) for name in _COUNTS}
    return page(
        "failed.html",
        who,
        at=core.clock.now(),
        groups=[(each, query_of(_group(each))) for each in groups],
        items=[each for each in found if each.code is not None][:LISTED],
        wanted=fields_of(wanted),
        query=query_of(wanted),
        authorities=sorted({each.authority for each in everything}),
        codes=sorted({each.code for each in everything}),
        counts=counts if request.query_params.get("retried") else None,
    )


@router.get(RETRY, response_class=Response)
async def show_retry(request: Request) -> Response:
    """Show what a retry of all that matches would do. Nothing is done yet."""
    who, core = await viewer(request), service(request).gateway
    wanted = matching(request.query_params)
    return await _trial(who, core, wanted, None)


@router.post(RETRY, response_class=Response)
async def retry_failed_work(request: Request) -> Response:
    """Queue anew all that matches and fails or is parked. A second press finds nothing more to do."""
    who, fields = await actor_with_form(request)
    require_may_act(who)
    core, wanted = service(request).gateway, matching(fields)
    if not fields.get("reason"):
        return await _trial(who, core, wanted, "Choose why they are tried again.")
    reason = one_of(RetryReason, fields["reason"])
    done = await asyncio.to_thread(operate.retry_matching, core, matching=wanted, reason=reason, actor=who.actor)
    if wanted.ids:
        return _to_item(str(wanted.ids[0]), "retried" if done.count else "nothing")
    counts = {"retried": done.count, "held": done.held, "left": sum(done.left.values())}
    return _see(f"/ops/failed?{urlencode(counts)}")


@router.get("/ops/failed/item", response_class=Response)
async def show_delivery(request: Request) -> Response:
    """Show one delivery: ids, codes, sizes, attempts. Never what is in it."""
    who = await viewer(request)
    return await _item(request, who, request.query_params.get("id", ""), None)


@router.post("/ops/failed/park", response_class=Response)
async def park_delivery(request: Request) -> Response:
    """Hold a delivery back until somebody retries it or gives it up."""
    who, fields = await actor_with_form(request)
    require_may_act(who)
    delivery = fields.get("id", "")
    if not fields.get("reason"):
        return await _item(request, who, delivery, "Choose why it is parked.")
    reason, key = one_of(ParkReason, fields["reason"]), uuid(delivery)
    done = await asyncio.to_thread(operate.park, service(request).gateway, delivery_id=key, reason=reason, actor=who.actor)
    return _to_item(delivery, "parked" if done else "nothing")


@router.post("/ops/failed/give-up", response_class=Response)
async def give_delivery_up(request: Request) -> Response:
    """Give a delivery up; its trust sees at the Task that it failed."""
    who, fields = await actor_with_form(request)
    require_may_act(who)
    delivery = fields.get("id", "")
    if not fields.get("reason") or fields.get("sure") != "yes":
        return await _item(request, who, delivery, "Choose why it is given up, and say that you know what follows.")
    reason, key = one_of(GiveUpReason, fields["reason"]), uuid(delivery)
    done = await asyncio.to_thread(operate.give_up, service(request).gateway, delivery_id=key, reason=reason, actor=who.actor)
    return _to_item(delivery, "given-up" if done else "nothing")


async def _trial(who: SignedIn, core: Core, wanted: Matching, fault: str | None) -> Response:
    found = await asyncio.to_thread(operate.retry_matching, core, matching=wanted, reason=RetryReason.TRIAL, actor=who.actor, dry_run=True)
    values = {"found": found, "wanted": fields_of(wanted), "query": query_of(wanted), "reasons": list(RetryReason), "fault": fault}
    return page("retry.html", who, at=core.clock.now(), status=422 if fault else 200, **values)


async def _item(request: Request, who: SignedIn, delivery: str, fault: str | None) -> Response:
    shown = await asyncio.to_thread(look_at, service(request).gateway, delivery_id=uuid(delivery))
    done = _DONE.get(request.query_params.get("done", ""))
    reasons = {"park_reasons": list(ParkReason), "give_up_reasons": list(GiveUpReason)}
    return page("item.html", who, at=shown.at, status=422 if fault else 200, shown=shown, done=done, fault=fault, **reasons)


def _group(trouble: Trouble) -> Matching:
    return Matching(authority=trouble.authority, channel=trouble.channel, code=trouble.code, standing=trouble.standing)


def _to_item(delivery: str, done: str) -> Response:
    return _see("/ops/failed/item?" + urlencode({"id": str(uuid(delivery)), "done": done}))


def _see(address: str) -> Response:
    return Response(status_code=303, headers={"Location": address})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
