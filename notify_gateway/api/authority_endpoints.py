# SPDX-License-Identifier: MIT
"""The collection point for authorities: list, fetch, confirm that you have it, acknowledge, say what came of it."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from notify_gateway.api.http import json_response, read_body, uuid_in_path
from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.store.collection import Step
from notify_gateway.use_cases import collect, feedback, proofs, reveal
from notify_gateway.use_cases.access import AUTHORITY_SCOPE

router = APIRouter(prefix="/authority/v1", tags=["Authority"])

MOST_LISTED = 200
SMALL_REQUEST = 4096
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@router.get("/deliveries", response_class=Response)
async def list_deliveries(request: Request, limit: str = "50", after: str | None = None) -> Response:
    """List what waits to be fetched, oldest first, with its pseudonymous view; ``after`` is the last id of the page before."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:6]) <= MOST_LISTED:
        raise Refused(Issue(Code.PARAMETER_INVALID))
    behind: UUID | None = uuid_in_path(after, Code.DELIVERY_UNKNOWN) if after is not None else None
    parts.require_healthy()
    waiting = await asyncio.to_thread(collect.list_waiting, parts.gateway, authority=client.code, limit=int(limit) + 1, after=behind)
    shown = waiting[: int(limit)]
    return json_response({"deliveries": [collect.waiting_json(item) for item in shown], "more": len(waiting) > len(shown)})


@router.get("/deliveries/{delivery_id}", response_class=Response)
async def fetch_delivery(request: Request, delivery_id: str) -> Response:
    """Hand over one delivery document; that this happened is in the log before the first byte leaves."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    parts.require_healthy()
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    document = await asyncio.to_thread(collect.fetch, parts.gateway, authority=client.code, delivery_id=wanted)
    digest = b64encode(sha256(document).digest()).decode()
    return Response(document, headers={"Content-Digest": f"sha-256=:{digest}:"}, media_type="application/json")


@router.post("/deliveries/{delivery_id}/received", response_class=Response)
async def confirm_received(request: Request, delivery_id: str) -> Response:
    """Take the confirmation ``{"digest": "<SHA-256 of the document, hex>"}`` that the authority's system holds the document."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    digest = _digest(await read_body(request, SMALL_REQUEST))
    state = await asyncio.to_thread(collect.confirm_received, parts.gateway, authority=client.code, delivery_id=wanted, digest=digest)
    return json_response(_state_json(state))


@router.post("/deliveries/{delivery_id}/acknowledge", response_class=Response)
async def acknowledge(request: Request, delivery_id: str) -> Response:
    """Take the acknowledgement that a person has taken the notification up. It tells the trust, not the family."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    state = await asyncio.to_thread(collect.acknowledge, parts.gateway, authority=client.code, delivery_id=wanted)
    return json_response(_state_json(state))


@router.post("/deliveries/{delivery_id}/contacted", response_class=Response)
async def record_contact(request: Request, delivery_id: str) -> Response:
    """Take ``{"on": "YYYY-MM-DD"}``: the authority was in touch with the family. The trust is told the day and nothing else."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    on = _day(_json_object(await read_body(request, SMALL_REQUEST)))
    state = await asyncio.to_thread(feedback.record_contact, parts.gateway, authority=client.code, delivery_id=wanted, on=on)
    return json_response(_state_json(state))


@router.post("/deliveries/{delivery_id}/outcome", response_class=Response)
async def record_outcome(request: Request, delivery_id: str) -> Response:
    """Take ``{"outcome": "<code of authority-outcome>", "on": "YYYY-MM-DD"}``: what came of it. The trust is told code and day."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    asked = _json_object(await read_body(request, SMALL_REQUEST))
    state = await asyncio.to_thread(
        feedback.record_outcome,
        parts.gateway,
        authority=client.code,
        delivery_id=wanted,
        outcome=_text(asked, "outcome"),
        on=_day(asked),
    )
    return json_response(_state_json(state))


@router.post("/deliveries/{delivery_id}/send-back", response_class=Response)
async def send_back(request: Request, delivery_id: str) -> Response:
    """Take ``{"reason": "<code of sent-back-reason>", "suggested_authority": "<GSS code>"}``, or without the latter: not in our area.

    The trust is told, and sends again; until it does the notification stays open.
    """
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    asked = _json_object(await read_body(request, SMALL_REQUEST))
    suggested = _text(asked, "suggested_authority") if asked.get("suggested_authority") is not None else None
    state = await asyncio.to_thread(
        feedback.send_back,
        parts.gateway,
        authority=client.code,
        delivery_id=wanted,
        reason=_text(asked, "reason"),
        suggested=suggested,
    )
    return json_response(_state_json(state))


@router.get("/deliveries/{delivery_id}/state", response_class=Response)
async def read_state(request: Request, delivery_id: str) -> Response:
    """Tell where the delivery stands and what the authority has said of it."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    state = await asyncio.to_thread(collect.state_of, parts.gateway, authority=client.code, delivery_id=wanted)
    return json_response(_state_json(state))


@router.get("/deliveries/{delivery_id}/receipts", response_class=Response)
async def read_receipts(request: Request, delivery_id: str) -> Response:
    """Give the proofs that what the authority confirmed, acknowledged and recorded is in the log, as far as it has happened."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    events = await asyncio.to_thread(collect.receipt_events, parts.gateway, authority=client.code, delivery_id=wanted)
    found = await asyncio.to_thread(proofs.proofs_of, parts.gateway, events)
    return json_response({name: {"leaf": b64encode(proof.leaf).decode(), "receipt": proof.receipt} for name, proof in found.items()})


@router.post("/deliveries/{delivery_id}/reveal", response_class=Response)
async def reveal_card(request: Request, delivery_id: str) -> Response:
    """Show the card, for an authority in managed custody, against ``{"reason": "...", "case_reference": "..."}``, which is logged first."""
    parts = service(request)
    client = await parts.admit(request, AUTHORITY_SCOPE)
    parts.require_healthy()
    wanted = uuid_in_path(delivery_id, Code.DELIVERY_UNKNOWN)
    asked = _json_object(await read_body(request, SMALL_REQUEST))
    granted = await asyncio.to_thread(
        reveal.grant,
        parts.gateway,
        authority=client.code,
        delivery_id=wanted,
        kind="card",
        reason=str(asked.get("reason", "")),
        case_reference=str(asked.get("case_reference", "")),
    )
    opened = await asyncio.to_thread(reveal.ask_opener, parts.gateway.settings.opener_socket, granted)
    return Response(opened.reveal(), media_type="application/json")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(Issue(Code.NOT_JSON)) from None
    if not isinstance(value, dict):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return value


def _digest(body: bytes) -> bytes:
    digest = _json_object(body).get("digest")
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return bytes.fromhex(digest)


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return value


def _day(asked: dict[str, Any]) -> date:
    text = _text(asked, "on")
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None


def _state_json(state: collect.DeliveryState) -> dict[str, Any]:
    return {
        "delivery_id": str(state.delivery_id),
        "state": state.state,
        "received_at": state.received_at.isoformat() if state.received_at else None,
        "acknowledged_at": state.acknowledged_at.isoformat() if state.acknowledged_at else None,
        "steps": [_step_json(step) for step in state.steps],
    }


def _step_json(step: Step) -> dict[str, str]:
    told = {
        "step": step.step,
        "at": step.at.isoformat(),
        "on": step.on.isoformat() if step.on else None,
        "code": step.code,
        "suggested_authority": step.suggested,
    }
    return {name: value for name, value in told.items() if value is not None}
