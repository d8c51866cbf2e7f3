# SPDX-License-Identifier: MIT
"""The description of the interface, for machines at ``/openapi.json`` and for people at ``/docs``: one made from the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response

from notify_gateway.api.http import json_response
from notify_gateway.web.rendering import HTML, render

router = APIRouter(tags=["Pages"])


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a property of a schema."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Example:
    """A whole example, by name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """One answer."""

    status: str
    description: str
    media: str
    schema: str
    headers: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scopes: tuple[str, ...]
    parameters: tuple[Field, ...]
    takes: str
    takes_schema: str
    examples: tuple[Example, ...]
    answers: tuple[Given, ...]


@router.get("/openapi.json", response_class=Response)
async def read_openapi(request: Request) -> Response:
    """Return the description of the interface (OpenAPI 3.1)."""
    return json_response(request.app.openapi())


@router.get("/docs", response_class=Response)
async def show_docs(request: Request) -> Response:
    """Show every endpoint: what it asks for and all that it may answer."""
    return Response(_page(request.app), media_type=HTML)


@lru_cache(maxsize=1)
def _page(app: FastAPI) -> bytes:
    return docs_page(app.openapi())


def docs_page(document: dict[str, Any]) -> bytes:
    """Return the page that shows ``document``."""
    groups = []
    for tag in document["tags"]:
        operations = [
            _operation(document, method, path, told)
            for path, methods in document["paths"].items()
            for method, told in methods.items()
            if tag["name"] in told.get("tags", ())
        ]
        if operations:
            groups.append((tag["name"], tag["description"], operations))
    schemas = [(name, schema.get("description", ""), _pretty(schema)) for name, schema in sorted(document["components"]["schemas"].items())]
    return render("docs.html", info=document["info"], groups=groups, schemas=schemas, security=document["components"]["securitySchemes"])


def _operation(document: dict[str, Any], method: str, path: str, told: dict[str, Any]) -> Operation:
    media, content = _content(told.get("requestBody", {}))
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        description=told["description"],
        scopes=tuple(scope for scheme in told["security"] for scope in scheme.get("oauth2", ())),
        parameters=tuple(_parameter(document, parameter) for parameter in told.get("parameters", ())),
        takes=media,
        takes_schema=_name(content.get("schema", {})),
        examples=tuple(Example(name, _pretty(each["value"])) for name, each in content.get("examples", {}).items()),
        answers=tuple(_given(status, answer) for status, answer in told["responses"].items()),
    )


def _parameter(document: dict[str, Any], parameter: dict[str, Any]) -> Field:
    if "$ref" in parameter:
        parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    place = {"path": "in the path", "query": "in the query", "header": "header"}[parameter["in"]]
    words = [parameter.get("description", ""), _bounds(parameter["schema"])]
    return Field(parameter["name"], place, parameter.get("required", False), " ".join(filter(None, words)))


def _bounds(schema: dict[str, Any]) -> str:
    kind = "UUID" if schema.get("format") == "uuid" else str(schema.get("type", ""))
    said = [f"from {schema['minimum']} to {schema['maximum']}"] if "maximum" in schema else []
    said += [f"else {schema['default']}"] if schema.get("default") not in (None, "") else []
    said += ["one of: " + ", ".join(schema["enum"])] if "enum" in schema else []
    return ", ".join([kind, *said]).capitalize() + "." if kind and (said or kind == "UUID") else ""


def _given(status: str, answer: dict[str, Any]) -> Given:
    media, content = _content(answer)
    example = _pretty(content["example"]) if "example" in content else ""
    own = tuple(name for name in answer["headers"] if name not in ("X-Request-ID", "X-Correlation-ID"))
    return Given(status, answer["description"], media, _name(content.get("schema", {})), own, example)


def _content(told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    contents: dict[str, dict[str, Any]] = told.get("content", {})
    return next(iter(contents.items()), ("", {}))


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _pretty(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
