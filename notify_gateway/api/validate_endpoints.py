# SPDX-License-Identifier: MIT
"""Trying a message without sending it: ``Bundle/$validate`` (FHIR R4 Resource/$validate), by the judgement of the front door.

The route changes nothing and discloses nothing, so it leaves no event. Nothing of what was tried is kept; the log line has counts and
codes.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog
from fastapi import APIRouter, Request, Response

from notify_gateway.api.http import FHIR_JSON, fhir_response, read_body, require_acceptable, require_content_type
from notify_gateway.api.service import Service, service
from notify_gateway.api.verdict import validation_outcome
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.fhir.parameters import resource_within
from notify_gateway.fhir.structure import check_structure
from notify_gateway.store.parties import Client
from notify_gateway.use_cases.accept import SMALL_BODY
from notify_gateway.use_cases.access import TRUST_SCOPE
from notify_gateway.use_cases.dry_run import Report, dry_run

LOG = structlog.get_logger(__name__)

router = APIRouter(prefix="/fhir/R4", tags=["FHIR"])


@router.post("/Bundle/$validate", response_class=Response)
async def validate(request: Request) -> Response:
    """Judge a message to the end, a Bundle or Parameters with a ``resource``: 200 with every fault in an OperationOutcome.

    Nothing is kept.
    """
    parts = service(request)
    require_content_type(request, FHIR_JSON)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, TRUST_SCOPE)
    body = PrivateBytes(await read_body(request, parts.gateway.settings.max_body))
    # Always aside: nobody who sends waits for somebody who tries.
    report = await asyncio.to_thread(_judge, parts, client, body)
    _log(report)
    return fhir_response(validation_outcome(report))


def _judge(parts: Service, client: Client, body: PrivateBytes) -> Report:
    message = resource_within(body.reveal())
    check = check_structure if len(message) <= SMALL_BODY else parts.check_large
    return dry_run(parts.gateway, PrivateBytes(message), client, check=check)


def _log(report: Report) -> None:
    LOG.info(
        "dry-run",
        faults=len(report.issues),
        remarks=len(report.remarks),
        codes=dict(Counter(str(issue.code) for issue in report.issues)),
    )
