# SPDX-License-Identifier: MIT
"""What the service can do, and the project's own definitions, as FHIR for everybody: CapabilityStatement, code systems and the like."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request, Response

from notify_gateway import __version__
from notify_gateway.api.http import FHIR_JSON, FORMAT, FORMATS, header, require_acceptable
from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, Refused
from notify_gateway.fhir.definitions import TYPES, definitions, find
from notify_gateway.fhir.definitions.capability import DEFINITION_PARAMETERS, capability_statement
from notify_gateway.use_cases.sign_in import TOKEN_PATH

router = APIRouter(prefix="/fhir/R4", tags=["Definitions"])

FRESH_FOR: Final = 300
"""Seconds for which a definition may be kept without asking again."""
MOST_PER_PAGE: Final = 200
_PAGING: Final = ("_count", "_offset")
_QUERY: Final = [
    *({"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in DEFINITION_PARAMETERS),
    *({"name": name, "in": "query", "required": False, "schema": {"type": "integer", "minimum": 0}} for name in _PAGING),
    {"name": FORMAT, "in": "query", "required": False, "schema": {"type": "string", "enum": list(FORMATS)}},
]

Endpoint = Callable[..., Awaitable[Response]]


@router.get("/metadata", response_class=Response)
async def read_capabilities(request: Request) -> Response:
    """Say what this deployment does: the CapabilityStatement."""
    require_acceptable(request, FHIR_JSON)
    base = service(request).gateway.settings.base_url
    return _public(request, capability_statement(base_url=base, token_url=f"{base}{TOKEN_PATH}", software_version=__version__))


def _reading(kind: str) -> Endpoint:
    async def read(request: Request, definition_id: str) -> Response:
        require_acceptable(request, FHIR_JSON)
        found = find(kind, definition_id)
        if found is None:
            raise NotFound(Issue(Code.DEFINITION_NOT_SERVED))
        return _public(request, found)

    return read


def _searching(kind: str) -> Endpoint:
    async def search(request: Request) -> Response:
        require_acceptable(request, FHIR_JSON)
        asked = _parameters(request)
        count, offset = (_number(asked.pop(name, None), default) for name, default in zip(_PAGING, (MOST_PER_PAGE, 0), strict=True))
        matching = [made for made in definitions(kind) if all(_matches(made, name, value) for name, value in asked.items())]
        base = f"{service(request).gateway.settings.base_url}/fhir/R4/{kind}"
        return _public(request, _searchset(base, matching, asked, min(count, MOST_PER_PAGE), offset))

    return search


for _kind in TYPES:
    router.add_api_route(
        f"/{_kind}",
        _searching(_kind),
        methods=["GET"],
        name=f"search_{_kind.lower()}",
        response_class=Response,
        description=f"Find the project's own {_kind} resources by `url`, `version`, `name` or `_id`.",
        openapi_extra={"parameters": _QUERY},
    )
    router.add_api_route(
        f"/{_kind}/{{definition_id}}",
        _reading(_kind),
        methods=["GET"],
        name=f"read_{_kind.lower()}",
        response_class=Response,
        description=f"Read one of the project's own {_kind} resources.",
    )


def _parameters(request: Request) -> dict[str, str]:
    names = [name for name in request.query_params if name != FORMAT]
    if not set(names) <= {*DEFINITION_PARAMETERS, *_PAGING}:
        raise Refused(Issue(Code.PARAMETER_UNKNOWN))
    if any(len(request.query_params.getlist(name)) > 1 for name in names):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return {name: request.query_params[name] for name in names}


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return int(text[:6])


def _matches(made: Mapping[str, Any], name: str, value: str) -> bool:
    """An address may carry its version behind a bar; a name is found by how it begins, whatever its case (FHIR R4 search)."""
    if name == "url":
        address, _, version = value.partition("|")
        return bool(made["url"] == address and version in ("", made["version"]))
    if name == "name":
        return str(made["name"]).lower().startswith(value.lower())
    return bool(made[name.removeprefix("_")] == value)


def _searchset(base: str, matching: list[dict[str, Any]], asked: Mapping[str, str], count: int, offset: int) -> dict[str, Any]:
    shown = matching[offset : offset + count]
    links = [{"relation": "self", "url": _address(base, asked, count, offset)}]
    if count and offset + count < len(matching):
        links.append({"relation": "next", "url": _address(base, asked, count, offset + count)})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(matching), "link": links}
    entries = [{"fullUrl": f"{base}/{made['id']}", "resource": made, "search": {"mode": "match"}} for made in shown]
    return bundle | {"entry": entries} if entries else bundle


def _address(base: str, asked: Mapping[str, str], count: int, offset: int) -> str:
    paging = {} if (count, offset) == (MOST_PER_PAGE, 0) else {"_count": str(count), "_offset": str(offset)}
    fields = {**asked, **paging}
    return f"{base}?{urlencode(fields)}" if fields else base


def _public(request: Request, resource: Mapping[str, Any]) -> Response:
    """Answer with what everybody may keep for a while, or with 304 to who has it already."""
    body = orjson.dumps(resource)
    tag = f'W/"{sha256(body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={FRESH_FOR}"}
    known = {each.strip() for each in (header(request, "if-none-match") or "").split(",")}
    if known & {tag, tag.removeprefix("W/"), "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=FHIR_JSON)
