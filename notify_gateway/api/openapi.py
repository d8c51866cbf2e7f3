# SPDX-License-Identifier: MIT
"""The OpenAPI document of ``/openapi.json`` and ``/docs``: the routes as the framework knows them, finished by the table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from notify_gateway.api.http import FHIR_JSON, PROBLEM_JSON, problem
from notify_gateway.api.log_schemas import LOG_SCHEMAS
from notify_gateway.api.schemas import SCHEMAS, UUID_PATTERN, Schema, ref
from notify_gateway.domain.catalogue import Code, all_entries, entry, family_of
from notify_gateway.domain.errors import Issue
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, LOG_SCOPE, TRUST_SCOPE

Told: TypeAlias = Literal["fhir", "problem"]
MEDIA = {"fhir": FHIR_JSON, "problem": PROBLEM_JSON}
ALWAYS = (429, 500, 503)
"""Statuses that any endpoint may answer: too fast, our fault, not now."""
SIGNED_IN = (401, 403)
NOT_OVER_HTTP = ("Registration",)
"""Families of errors that only the command meets."""

_SENTENCE = re.compile(r"^((?:``[^`]*``|[^`])*?)[.:;](?:\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """One success: what it means, the schema by name, the media type, and headers beyond those that every answer has."""

    description: str
    schema: str | None = None
    media: str | None = "application/json"
    headers: tuple[str, ...] = ()
    example: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """What an endpoint takes in: the schema by name, the media type, and whole examples by name."""

    schema: str
    media: str = "application/json"
    required: bool = True
    examples: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an endpoint asks for and answers, beyond what its function says.

    ``told`` decides how errors are told: OperationOutcome for ``fhir``, RFC 9457 elsewhere. ``scope`` is what a token needs, or one of
    several; without one the endpoint is open to everybody. ``ids`` are both request ids (BaRS), which must then be sent. ``codes`` names
    the codes that this endpoint answers with a status, where they are few; ``parameters`` gives schemas to those that the framework knows,
    ``query`` names those that the function reads itself.
    """

    told: Told
    answers: Mapping[int, Answer]
    errors: tuple[int, ...] = ()
    scope: str | tuple[str, ...] | None = None
    ids: bool = False
    headers: tuple[str, ...] = ()
    body: Body | None = None
    codes: Mapping[int, tuple[Code, ...]] = field(default_factory=dict)
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes of which a token needs one."""
        return (self.scope,) if isinstance(self.scope, str) else self.scope or ()

    @property
    def responses(self) -> dict[str, dict[str, Any]]:
        """Return every answer, by status."""
        failing = {*self.errors, *ALWAYS, *(SIGNED_IN if self.scope else ()), *((400,) if self.ids else ())} - set(self.answers)
        told = {status: _success(status, answer) for status, answer in self.answers.items()}
        told |= {status: _error(self.told, status, self.codes.get(status, ())) for status in failing}
        return {str(status): told[status] for status in sorted(told)}


UNDECLARED = Endpoint("problem", {})


def install(app: FastAPI, endpoints: Mapping[tuple[str, str], Endpoint]) -> None:
    """Make ``app.openapi`` the finished document."""

    def finished() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(app, endpoints)
        return app.openapi_schema

    app.openapi = finished  # type: ignore[method-assign]


def document(app: FastAPI, endpoints: Mapping[tuple[str, str], Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of ``app``. A route that the table does not have gets what any endpoint has; the tests object to it."""
    made = get_openapi(title=app.title, version=app.version, routes=app.routes, description=ABOUT, tags=TAGS)
    made["components"] = {"schemas": SCHEMAS | LOG_SCHEMAS, "headers": HEADERS, "parameters": PARAMETERS, "securitySchemes": SECURITY}
    made["servers"] = [{"url": "/", "description": "This deployment"}]
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _finish(operation, endpoints.get((method.upper(), path), UNDECLARED))
    return made


def _finish(operation: dict[str, Any], endpoint: Endpoint) -> None:
    told = operation.get("description", "")
    sentence = _SENTENCE.match(told)
    operation["summary"] = (sentence[1] if sentence else told).replace("\n", " ").replace("``", "")
    operation["description"] = re.sub(r"``([^`]+)``", r"`\1`", told)
    # The framework's own answers to bad parameters are never given: ours take their place.
    operation["responses"] = endpoint.responses
    operation["security"] = [*({"oauth2": [scope]} for scope in endpoint.scopes), *([{"bearer": []}] if endpoint.scope else [])]
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        parameter["schema"] = endpoint.parameters.get(parameter["name"], parameter["schema"])
    parameters = [*parameters, *({"name": name, "in": "query", "required": False, "schema": each} for name, each in endpoint.query.items())]
    names = (*(("X-Request-ID", "X-Correlation-ID") if endpoint.ids else ()), *endpoint.headers)
    if parameters or names:
        operation["parameters"] = [*parameters, *({"$ref": f"#/components/parameters/{name}"} for name in names)]
    if endpoint.body:
        operation["requestBody"] = _asked(endpoint.body)


def _asked(body: Body) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": ref(body.schema)}
    if body.examples:
        content["examples"] = {name: {"value": value} for name, value in body.examples.items()}
    return {"required": body.required, "content": {body.media: content}}


def _described(description: str, status: int, headers: tuple[str, ...] = ()) -> dict[str, Any]:
    by_status = {401: ("WWW-Authenticate",), 425: ("Retry-After",), 429: ("Retry-After",), 503: ("Retry-After",)}
    names = ("X-Request-ID", "X-Correlation-ID", *by_status.get(status, ()), *headers)
    return {"description": description, "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def _success(status: int, answer: Answer) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": ref(answer.schema) if answer.schema else {"type": "string"}}
    if answer.example is not None:
        content["example"] = answer.example
    return _described(answer.description, status, answer.headers) | ({"content": {answer.media: content}} if answer.media else {})


def _error(told: Told, status: int, codes: tuple[Code, ...]) -> dict[str, Any]:
    known = [entry(code) for code in codes] or [
        item for item in all_entries() if item.status == status and family_of(item.code) not in NOT_OVER_HTTP
    ]
    described = f"{HTTPStatus(status).phrase}."
    if len(known) <= 6:
        described += " " + "; ".join(f"{item.code.value} {item.title}" for item in known) + "."
    example = operation_outcome([Issue(known[0].code)]) if told == "fhir" else problem(known[0])
    schema = "OperationOutcome" if told == "fhir" else "Problem"
    return _described(described, status) | {"content": {MEDIA[told]: {"schema": ref(schema), "example": example}}}


ABOUT = (
    "Carries section 23 notifications (Children and Families Act 2014) from NHS trusts to local authorities in England. "
    "Trusts speak FHIR R4 with the conventions of BaRS; authorities collect JSON. Every error names a code of the catalogue at /errors. "
    "X-Request-ID and X-Correlation-ID, where they are UUIDs, come back on every answer."
)
TAGS = [
    {"name": "FHIR", "description": "For trusts: the front door."},
    {"name": "Sign-in", "description": "Access tokens for systems (OAuth 2 client credentials)."},
    {"name": "Authority", "description": "For local authorities: the collection point."},
    {"name": "Definitions", "description": "For everybody: what the service can do, and the code systems it speaks."},
    {"name": "Log", "description": "The audit log: checkpoint, hashes and keys for everybody; to each organisation what is its own."},
    {"name": "Information governance", "description": "For readers of the whole audit log; what they read is in it."},
    {"name": "Operations", "description": "For monitoring."},
    {"name": "Operating", "description": "Pages for operators; there only where `NOTIFY_GATEWAY_OPERATIONS_PAGES` turns them on."},
    {"name": "People", "description": "Where people of authorities sign in and out."},
    {"name": "Inbox", "description": "Pages for an authority's early-years team; machines collect at `/authority/v1`."},
    {"name": "Pages", "description": "For people."},
]


def _uuid_parameter(name: str, description: str) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string", "pattern": UUID_PATTERN},
    }


PARAMETERS: dict[str, Schema] = {
    "X-Request-ID": _uuid_parameter("X-Request-ID", "UUID of this request; the same one only when the very same bytes are sent again."),
    "X-Correlation-ID": _uuid_parameter("X-Correlation-ID", "UUID that joins new, update and delete of one notification."),
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "`wait=n`: wait up to n seconds (at most 5) for the receipt. Anything else is ignored (RFC 7240).",
        "schema": {"type": "string"},
        "example": "wait=2",
    },
}
HEADERS: dict[str, Schema] = {
    "X-Request-ID": {"description": "The id of the request, where one was sent that is a UUID.", "schema": {"type": "string"}},
    "X-Correlation-ID": {"description": "The correlation id, where one was sent that is a UUID.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before the same is sent again.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods that the address has.", "schema": {"type": "string"}},
    "Content-Location": {"description": "Where exactly this is always to be found.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is to be found.", "schema": {"type": "string"}},
    "ETag": {"description": "Weak tag of the answer, for If-None-Match.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "How long the answer may be kept.", "schema": {"type": "string"}},
    "Content-Digest": {"description": "SHA-256 of the body (RFC 9530).", "schema": {"type": "string"}},
    "Content-Disposition": {"description": "Under which name a browser saves it.", "schema": {"type": "string"}},
}
SECURITY: dict[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token of one organisation."},
    "oauth2": {
        "type": "oauth2",
        "description": "Client credentials, with a JWT signed by the client's own key (private_key_jwt).",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "/oauth2/token",
                "scopes": {
                    TRUST_SCOPE: "Send notifications and see what becomes of them",
                    AUTHORITY_SCOPE: "Collect what is addressed to you",
                    LOG_SCOPE: "Read the audit log (information governance)",
                },
            }
        },
    },
}
