# SPDX-License-Identifier: MIT
"""What information governance asks of the service: the whole log for the offline verifier, and the details that entries commit to."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import suppress

from fastapi import APIRouter, Request, Response

from audit.detail import DetailDiffers
from notify_gateway.api.http import closed_number, json_response
from notify_gateway.api.service import Service, service
from notify_gateway.api.streams import ExportResponse
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, Unavailable
from notify_gateway.domain.refs import is_reference
from notify_gateway.use_cases import details, exporting, proofs
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, LOG_SCOPE
from notify_gateway.use_cases.details import Told

router = APIRouter(prefix="/ig", tags=["Information governance"])


@router.get("/export", response_class=Response)
async def export_log(request: Request) -> Response:
    """Return the whole signed log, every entry in full, for the offline verifier. It is personal data.

    That it was exported is in the log before it begins; how it ended, after its end. With ``closed`` it is the closed log of that number.
    """
    parts = service(request)
    client = await parts.admit(request, LOG_SCOPE)
    parts.require_healthy()
    closed = closed_number(request)
    return ExportResponse(await asyncio.to_thread(exporting.begin, parts.gateway, actor=client.actor, closed=closed))


@router.get("/details/{reference}", response_class=Response)
async def read_details(request: Request, reference: str) -> Response:
    """Return what entries about a notification commit to and do not say, such as the case reference of a reveal; an authority gets its own.

    Each with its entry, its receipt and the salt, for ``audit verify receipt --detail``. What was erased is null. Who looked is in the log.
    """
    parts = service(request)
    client = await parts.admit(request, LOG_SCOPE, AUTHORITY_SCOPE)
    parts.require_healthy()
    if not is_reference(reference):
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    own = client if client.kind == "authority" else None
    found = await asyncio.to_thread(details.details_of, parts.gateway, reference=reference, actor=client.actor, own=own)
    return json_response({"details": [await asyncio.to_thread(_detail, parts, each) for each in found]})


def _detail(parts: Service, told: Told) -> dict[str, object]:
    words, receipt, altered = None, None, False
    try:
        words = told.words
    except DetailDiffers:
        altered = True
    with suppress(Unavailable):  # it was not signed yet at the moment of the look
        receipt = proofs.proof_of(parts.gateway, told.event_id).receipt
    return {
        "log": told.log,
        "index": told.index,
        "event": told.event.tag,
        "actor": told.event.actor,
        "at": told.event.at.isoformat(),
        "leaf": b64encode(told.leaf).decode(),
        "receipt": receipt,
        "salt": told.salt,
        "words": words,
        "altered": altered,
    }
