# SPDX-License-Identifier: MIT
"""What information governance asks of the service: the whole log, for the offline verifier."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from notify_gateway.api.http import closed_number
from notify_gateway.api.service import service
from notify_gateway.api.streams import ExportResponse
from notify_gateway.use_cases import exporting
from notify_gateway.use_cases.access import LOG_SCOPE

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
