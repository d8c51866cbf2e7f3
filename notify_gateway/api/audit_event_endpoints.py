# SPDX-License-Identifier: MIT
"""Entries of the log as FHIR AuditEvents, for information governance. Each look is an entry itself."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request, Response

from notify_gateway.api.audit_event_search import read_search
from notify_gateway.api.http import FHIR_JSON, fhir_response, read_body, require_acceptable, require_content_type, uuid_in_path
from notify_gateway.api.service import Service, service
from notify_gateway.api.task_search import FORM, Fields, read_form
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.fhir.audit_event import Place, audit_event
from notify_gateway.store.parties import Client
from notify_gateway.use_cases import search_log
from notify_gateway.use_cases.access import LOG_SCOPE
from notify_gateway.use_cases.search_log import Asked, Found, Page

router = APIRouter(prefix="/fhir/R4/AuditEvent", tags=["Information governance"])

LARGEST_FORM = 32 * 1024


@router.post("/_search", response_class=Response)
async def search_audit_events_by_form(request: Request) -> Response:
    """Find entries by the parameters of a form: as by address, and by the pseudonym of a child in the log, which no address may hold."""
    parts = service(request)
    require_content_type(request, FORM)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, LOG_SCOPE)
    if request.query_params:
        raise Refused(Issue(Code.PARAMETER_UNKNOWN))
    fields = read_form(await read_body(request, LARGEST_FORM))
    return await _search(parts, client, fields, read_search(fields, in_address=False))


@router.get("", response_class=Response)
async def search_audit_events(request: Request) -> Response:
    """Find entries by ``date``, ``entity`` (a notification's id or reference), ``agent``, ``type`` and ``subtype``, page by page.

    A page may hold fewer entries than were asked for, or none, and still lead to a next one.
    """
    parts = service(request)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, LOG_SCOPE)
    fields = {name: request.query_params.getlist(name) for name in request.query_params if name != "_format"}
    return await _search(parts, client, fields, read_search(fields, in_address=True))


@router.get("/{event_id}", response_class=Response)
async def read_audit_event(request: Request, event_id: str) -> Response:
    """Return one entry that has a meaning in FHIR, with its place in the tree."""
    if event_id == "_search":
        raise HTTPException(405)
    parts = service(request)
    require_acceptable(request, FHIR_JSON)
    client = await parts.admit(request, LOG_SCOPE)
    parts.require_healthy()
    wanted = uuid_in_path(event_id, Code.AUDIT_EVENT_UNKNOWN)
    found = await asyncio.to_thread(search_log.find, parts.gateway, wanted, actor=client.actor)
    return fhir_response(_resource(parts, found))


async def _search(parts: Service, client: Client, fields: Fields, asked: Asked) -> Response:
    parts.require_healthy()
    page = await asyncio.to_thread(search_log.search, parts.gateway, asked, actor=client.actor)
    return fhir_response(_searchset(parts, fields, asked, page))


def _searchset(parts: Service, fields: Fields, asked: Asked, page: Page) -> dict[str, Any]:
    base = f"{parts.gateway.settings.base_url}/fhir/R4/AuditEvent"
    entries = [
        {"fullUrl": f"{base}/{found.event_id}", "resource": _resource(parts, found), "search": {"mode": "match"}} for found in page.found
    ]
    again = {name: values for name, values in fields.items() if not name.startswith(("entity", "_page"))}
    if page.notifications is not None and asked.pseudonym is None:
        again["entity"] = [",".join(page.notifications)]
    links = [("self", again if asked.pseudonym is None else {})]
    if page.next is not None:
        # A pseudonym stands in no address: what it led to does.
        about = {} if page.notifications is None else {"entity": [",".join(page.notifications)]}
        links.append(("next", again | about | {"_page": [str(page.next)]}))
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "searchset",
        "link": [{"relation": relation, "url": f"{base}?{urlencode(of, doseq=True)}" if of else base} for relation, of in links],
    }
    return bundle | {"entry": entries} if entries else bundle


def _resource(parts: Service, found: Found) -> dict[str, Any]:
    settings = parts.gateway.settings
    place = Place(settings.log_origin, found.index, found.leaf_hash, found.tree_size)
    return audit_event(found.event_id, found.event, place, service=settings.base_url, about=found.about)
