# SPDX-License-Identifier: MIT
"""What all interfaces share: bounded bodies, request ids (BaRS), answers without values, headers that keep copies from being made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Issue, NotifyError, Refused, Unavailable
from notify_gateway.fhir.outcome import operation_outcome

LOG = structlog.get_logger(__name__)

FHIR_JSON = "application/fhir+json"
PROBLEM_JSON = "application/problem+json"
BODY_WITHIN = 30.0
"""Seconds in which a whole body must have arrived."""
ECHOED = ("x-request-id", "x-correlation-id")


class TimedOut(Refused):
    """The request did not arrive in time."""


async def read_body(request: Request, most: int) -> bytes:
    """Return the body; raises ``Refused`` when it is compressed, larger than ``most`` bytes or too slow. Never holds more than ``most``."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(Issue(Code.CONTENT_ENCODING))
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise Refused(Issue(Code.BODY_TOO_LARGE))
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise Refused(Issue(Code.BODY_TOO_LARGE))
                chunks.append(chunk)
    except TimeoutError:
        raise TimedOut(Issue(Code.TIMEOUT)) from None
    except ClientDisconnect:
        raise TimedOut(Issue(Code.TIMEOUT)) from None
    return b"".join(chunks)


def request_ids(request: Request) -> tuple[UUID, UUID]:
    """Return X-Request-ID and X-Correlation-ID; raises ``Refused`` when one is missing or no UUID (BaRS transactional integrity)."""
    issues: list[Issue] = []
    found: list[UUID] = []
    for name, missing, invalid in (
        ("x-request-id", Code.REQUEST_ID_MISSING, Code.REQUEST_ID_INVALID),
        ("x-correlation-id", Code.CORRELATION_ID_MISSING, Code.CORRELATION_ID_INVALID),
    ):
        text = request.headers.get(name)
        value = _uuid(text)
        if value is None:
            issues.append(Issue(invalid if text else missing))
        else:
            found.append(value)
    if issues:
        raise Refused(*issues)
    return found[0], found[1]


def require_content_type(request: Request, wanted: str) -> None:
    """Raise ``Refused`` unless the body is declared as ``wanted``, in UTF-8 where a character set is named."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.partition("charset=")[2].split(";")[0].strip().strip('"').lower()
    if kind.strip().lower() != wanted or charset not in ("", "utf-8"):
        raise Refused(Issue(Code.CONTENT_TYPE))


def require_acceptable(request: Request, offered: str) -> None:
    """Raise ``Refused`` when the caller cannot take ``offered``, nor JSON in general."""
    accept = request.headers.get("accept", "*/*").lower()
    kinds = {part.split(";")[0].strip() for part in accept.split(",")}
    if not kinds & {"*/*", "application/*", offered, "application/json", ""}:
        raise Refused(Issue(Code.NOT_ACCEPTABLE))


def uuid_in_path(text: str, code: Code) -> UUID:
    """Return the UUID that a path segment is; raises ``NotFound`` with ``code`` otherwise, as for any other unknown id."""
    from notify_gateway.domain.errors import NotFound

    value = _uuid(text)
    if value is None:
        raise NotFound(Issue(code))
    return value


def fhir_response(resource: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a FHIR resource as a response."""
    return Response(orjson.dumps(resource), status, headers, media_type=FHIR_JSON)


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON values as a response."""
    return Response(orjson.dumps(value), status, headers, media_type="application/json")


def error_response(request: Request, error: NotifyError) -> Response:
    """Return the answer to an error: an OperationOutcome on FHIR paths, RFC 9457 problem details elsewhere."""
    status = entry(error.issues[0].code).status
    headers: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="notify-gateway"'
    if request.url.path.startswith("/fhir/"):
        return fhir_response(operation_outcome(error.issues), status, headers)
    first = entry(error.issues[0].code)
    problem = {
        "type": f"/errors/{first.code}",
        "title": first.title,
        "status": status,
        "code": first.code,
        "detail": first.why,
        "fix": first.fix,
    }
    return Response(orjson.dumps(problem), status, headers, media_type=PROBLEM_JSON)


class Envelope:
    """Pure ASGI middleware: echoes the request ids, forbids caching and framing, logs one line, makes a fixed 500 of what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        echoed = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") in ECHOED and _uuid(value.decode("latin-1"))]
        fixed = _fixed_headers(scope["path"])

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                names = {name for name, _ in headers}
                headers.extend(header for header in [*echoed, *fixed] if header[0] not in names)
            await send(message)

        try:
            await self._app(scope, receive, send_wrapped)
        except Exception as error:
            # The text of an unforeseen error may quote what was being read, so only its kind is logged.
            LOG.error("unhandled", error=type(error).__name__, route=_route(scope))
            if status:
                raise RuntimeError("the answer broke off") from None
            response = error_response(Request(scope), NotifyError(Issue(Code.SERVER_ERROR)))
            await response(scope, receive, send_wrapped)
        finally:
            LOG.info(
                "request", method=scope["method"], route=_route(scope), status=status, ms=round((time.perf_counter() - began) * 1000, 1)
            )


def _fixed_headers(path: str) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", b"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ]
    if not path.startswith("/static/"):
        headers.append((b"cache-control", b"no-store"))
    return headers


def _route(scope: Scope) -> str:
    """Return the template of the route, never the path itself: what callers put into a path is theirs."""
    route = scope.get("route")
    return str(getattr(route, "path", "unknown"))


def _uuid(text: str | None) -> UUID | None:
    if text is None or len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
