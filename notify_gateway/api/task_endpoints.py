# SPDX-License-Identifier: MIT
"""The Task of a notification, for the trust that sent it: where it stands, which have changed, the proof that it is in the log."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, Response

from notify_gateway.api import task_answers
from notify_gateway.api.http import (
    FHIR_JSON,
    FORMAT,
    fhir_response,
    read_body,
    require_acceptable,
    require_content_type,
    require_formats,
    uuid_in_path,
)
from notify_gateway.api.service import Service, service
from notify_gateway.api.task_search import FORM, Fields, read_form, read_search
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.store.parties import Client
from notify_gateway.use_cases import track
from notify_gateway.use_cases.access import TRUST_SCOPE

router = APIRouter(prefix="/fhir/R4/Task", tags=["FHIR"])

LARGEST_FORM = 32 * 1024


@router.post("/_search", response_class=Response)
async def search_tasks_by_form(request: Request) -> Response:
    """Find the sender's own Tasks by the parameters of a form: ``identifier=system|value``, or ``_lastUpdated`` and ``_count``."""
    parts = service(request)
    require_content_type(request, FORM)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, TRUST_SCOPE)
    _require_no_identifier_in_address(request)
    if request.query_params.keys() - {FORMAT}:
        raise Refused(Issue(Code.PARAMETER_UNKNOWN))
    fields = read_form(await read_body(request, LARGEST_FORM))
    require_formats(fields.pop(FORMAT, []))
    return await _search(parts, client, fields)


@router.get("", response_class=Response)
async def search_tasks(request: Request) -> Response:
    """Find the sender's own Tasks by ``_lastUpdated`` and ``_count``, or follow a ``next`` link. An identifier is to be posted."""
    parts = service(request)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, TRUST_SCOPE)
    _require_no_identifier_in_address(request)
    return await _search(parts, client, {name: request.query_params.getlist(name) for name in request.query_params if name != FORMAT})


@router.get("/{task_id}", response_class=Response)
async def read_task(request: Request, task_id: str) -> Response:
    """Tell the sender where its notification stands."""
    if task_id == "_search":
        raise HTTPException(405)
    parts = service(request)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, TRUST_SCOPE)
    notification_id = uuid_in_path(task_id, Code.TASK_UNKNOWN)
    stands = await asyncio.to_thread(track.where_it_stands, parts.gateway, client=client, notification_id=notification_id)
    return fhir_response(task_answers.task(stands, sender_ods=client.code))


@router.get("/{task_id}/$receipt", response_class=Response)
async def read_receipt(request: Request, task_id: str) -> Response:
    """Give the sender the proof that its acceptance is in the log: the leaf and a C2SP tlog-proof, as FHIR Parameters."""
    parts = service(request)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, TRUST_SCOPE)
    notification_id = uuid_in_path(task_id, Code.TASK_UNKNOWN)
    proof = await asyncio.to_thread(track.acceptance_receipt, parts.gateway, client=client, notification_id=notification_id)
    parameters = [
        {"name": "leaf", "valueBase64Binary": b64encode(proof.leaf).decode()},
        {"name": "receipt", "valueString": proof.receipt},
    ]
    return fhir_response({"resourceType": "Parameters", "parameter": parameters})


def _require_no_identifier_in_address(request: Request) -> None:
    if any(name.partition(":")[0] == "identifier" for name in request.query_params):
        raise Refused(Issue(Code.SEARCH_BY_POST))


async def _search(parts: Service, client: Client, fields: Fields) -> Response:
    asked = read_search(fields)
    base = f"{parts.gateway.settings.base_url}/fhir/R4/Task"
    if asked.identifiers:
        found = await asyncio.to_thread(track.by_identifiers, parts.gateway, client=client, identifiers=asked.identifiers)
        links = {"self": f"{base}/_search"}
        return fhir_response(task_answers.searchset(base, found, sender_ods=client.code, links=links, total=len(found)))
    page = await asyncio.to_thread(track.changed, parts.gateway, client=client, asked=asked.page or asked.changed)
    links = {"self": _address(base, fields)}
    if page.next is not None:
        links["next"] = _address(base, {"_page": [page.next]})
    return fhir_response(task_answers.searchset(base, page.found, sender_ods=client.code, links=links))


def _address(base: str, fields: Fields) -> str:
    return f"{base}?{urlencode(fields, doseq=True)}" if fields else base
