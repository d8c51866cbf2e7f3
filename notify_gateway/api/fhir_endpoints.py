# SPDX-License-Identifier: MIT
"""The FHIR front door for trusts: ``$process-message`` (FHIR R4, BaRS conventions)."""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from audit.receipts import make_promise
from notify_gateway.api import answers
from notify_gateway.api.http import FHIR_JSON, fhir_response, header, read_body, request_ids, require_acceptable, require_content_type
from notify_gateway.api.service import Service, service
from notify_gateway.domain.errors import Duplicate, NotifyError
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.use_cases import proofs
from notify_gateway.use_cases.accept import Accepted, accept
from notify_gateway.use_cases.access import TRUST_SCOPE
from notify_gateway.use_cases.commit import Expected
from notify_gateway.use_cases.prepare import Received

router = APIRouter(prefix="/fhir/R4", tags=["FHIR"])

MOST_WAIT = 5
"""Longest wait, in seconds, that ``Prefer: wait=n`` gets."""
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])")


@router.post("/$process-message", status_code=202, response_class=Response)
async def process_message(request: Request) -> Response:
    """Take a notification: 202 with the Task's Location and a signed promise, once it is durable; with ``Prefer: wait=n`` the proof too."""
    parts = service(request)
    try:
        with parts.committer.expecting() as expected:
            accepted = await _accept(parts, request, expected)
    except Duplicate as duplicate:
        location = {"Location": _task_url(parts, str(duplicate.notification_id))}
        return fhir_response(operation_outcome(duplicate.issues), 409, location)
    promise = make_promise(
        *parts.runtime.promise_signers,
        origin=parts.gateway.settings.log_origin,
        leaf_hash=accepted.leaf_hash,
        accepted_at=accepted.accepted_at,
    )
    receipt = await _receipt_within(parts, accepted, _wait(request))
    outcome = answers.acceptance_outcome(accepted, promise=promise, receipt=receipt)
    return fhir_response(outcome, 202, {"Location": _task_url(parts, str(accepted.notification_id))})


async def _accept(parts: Service, request: Request, expected: Expected) -> Accepted:
    request_id, correlation_id = request_ids(request)
    require_content_type(request, FHIR_JSON)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, TRUST_SCOPE)
    parts.require_healthy()
    with parts.limits.one_at_a_time(client.id, request_id):
        body = await read_body(request, parts.gateway.settings.max_body)
        received = Received(PrivateBytes(body), client, request_id, correlation_id)
        async with parts.limits.turn(client.id, len(body)):
            return await accept(parts.gateway, parts.committer, received, check_large=parts.check_large, expected=expected)


def _task_url(parts: Service, notification_id: str) -> str:
    return f"{parts.gateway.settings.base_url}/fhir/R4/Task/{notification_id}"


def _wait(request: Request) -> int:
    match = _WAIT.search(header(request, "prefer") or "")
    return min(int(match[1]), MOST_WAIT) if match else 0


async def _receipt_within(parts: Service, accepted: Accepted, seconds: int) -> str | None:
    if not seconds:
        return None
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        try:
            return (await asyncio.to_thread(proofs.proof_of, parts.gateway, accepted.event_id)).receipt
        except (NotifyError, SQLAlchemyError):
            # The notification is kept, and the answer says so whatever becomes of the proof: it is to be had at the Task later.
            await asyncio.sleep(0.03)
    return None
