# SPDX-License-Identifier: MIT
"""What all interfaces share: bounded bodies, request ids (BaRS), answers without values, headers that keep copies from being made."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notify_gateway.api.limits import Limits, address_of, leave
from notify_gateway.domain.catalogue import Code, Entry, entry
from notify_gateway.domain.errors import Issue, NotFound, NotifyError, Refused, Unavailable
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.telemetry.metrics import ANSWERS, ERRORS

LOG = structlog.get_logger(__name__)

FHIR_JSON = "application/fhir+json"
FORMAT = "_format"
FORMATS = ("json", "application/json", FHIR_JSON)
"""Values of ``_format``, which FHIR clients put into addresses; it goes before ``Accept`` (FHIR R4, 3.1.0.1.11)."""
FHIR_VERSIONS = ("", "4.0", "4.0.1")
PROBLEM_JSON = "application/problem+json"
BODY_WITHIN = 30.0
"""Seconds in which a whole body must have arrived."""
ECHOED = (b"x-request-id", b"x-correlation-id")
_REFUSED = re.compile(r";\s*q=0(?:\.0*)?\s*(?:;|$)")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
FIXED = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", POLICY.encode()),
]
NOT_KEPT = [*FIXED, (b"cache-control", b"no-store")]
LASTING = [*FIXED, (b"cache-control", b"public, max-age=31536000, immutable")]


class TimedOut(Refused):
    """The request did not arrive in time."""


def header(request: Request, name: str) -> str | None:
    """Return a header, several lines of it as one list (RFC 9110, 5.3): of what may come once, two fit nothing, whichever comes first."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


async def read_body(request: Request, most: int) -> bytes:
    """Return the body; raises ``Refused`` when it is compressed, larger than ``most`` bytes or too slow. Never holds more than ``most``."""
    require_uncompressed(request)
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
        text = header(request, name)
        value = _uuid(text)
        if value is None:
            issues.append(Issue(invalid if text else missing))
        else:
            found.append(value)
    if issues:
        raise Refused(*issues)
    return found[0], found[1]


def require_uncompressed(request: Request) -> None:
    """Raise ``Refused`` when the body is compressed."""
    if (header(request, "content-encoding") or "identity").lower() != "identity":
        raise Refused(Issue(Code.CONTENT_ENCODING))


def require_content_type(request: Request, wanted: str) -> None:
    """Raise ``Refused`` unless the body is declared as ``wanted``, in UTF-8 and of FHIR R4 where that is named."""
    kind, *rest = (part.strip() for part in (header(request, "content-type") or "").lower().split(";"))
    named = {name.strip(): value.strip().strip('"') for name, _, value in (part.partition("=") for part in rest)}
    if kind != wanted or named.get("charset", "utf-8") != "utf-8" or named.get("fhirversion", "") not in FHIR_VERSIONS:
        raise Refused(Issue(Code.CONTENT_TYPE))


def require_acceptable(request: Request, offered: str) -> None:
    """Raise ``Refused`` when the caller cannot take ``offered``, nor JSON in general; on FHIR paths ``_format`` goes before ``Accept``."""
    formats = request.query_params.getlist(FORMAT) if offered == FHIR_JSON else []
    if formats:
        return require_formats(formats)
    accept = (header(request, "accept") or "*/*").lower()
    kinds = {part.split(";")[0].strip() for part in accept.split(",") if not _REFUSED.search(part)}
    if not kinds & {"*/*", "application/*", offered, "application/json"}:
        raise Refused(Issue(Code.NOT_ACCEPTABLE))
    return None


def require_formats(formats: Sequence[str]) -> None:
    """Raise ``Refused`` when a value of ``_format`` is not JSON; a plus that was not escaped arrives as a space."""
    if not all(asked.replace(" ", "+").lower() in FORMATS for asked in formats):
        raise Refused(Issue(Code.NOT_ACCEPTABLE))


def uuid_in_path(text: str, code: Code) -> UUID:
    """Return the UUID that a path segment is; raises ``NotFound`` with ``code`` otherwise, as for any other unknown id."""
    value = _uuid(text)
    if value is None:
        raise NotFound(Issue(code))
    return value


def is_whole(text: str) -> bool:
    """Tell whether the text is a whole number in digits, of a size that any counter has."""
    return text.isascii() and text.isdigit() and len(text) < 16


def whole_number(text: str, code: Code) -> int:
    """Return the whole number that the text is; raises ``NotFound`` with ``code`` otherwise, as for any other number that there is not."""
    if not is_whole(text):
        raise NotFound(Issue(code))
    return int(text)


def closed_number(request: Request) -> int | None:
    """Return the number of the closed log that is asked for by ``closed``, None without it; raises ``NotFound``."""
    asked = request.query_params.get("closed")
    return None if asked is None else whole_number(asked, Code.CLOSED_LOG_UNKNOWN)


def fhir_response(resource: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a FHIR resource as a response."""
    return Response(orjson.dumps(resource), status, headers, media_type=FHIR_JSON)


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON values as a response."""
    return Response(orjson.dumps(value), status, headers, media_type="application/json")


def error_response(request: Request, error: NotifyError) -> Response:
    """Return the answer to an error: an OperationOutcome on FHIR paths, RFC 9457 problem details elsewhere."""
    status = entry(error.issues[0].code).status
    ERRORS.labels(error.issues[0].code).inc()
    headers: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    elif status == 425:
        headers["Retry-After"] = "1"
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="notify-gateway"'
    if request.url.path.startswith("/fhir/"):
        return fhir_response(operation_outcome(error.issues), status, headers)
    return Response(orjson.dumps(problem(entry(error.issues[0].code))), status, headers, media_type=PROBLEM_JSON)


def problem(known: Entry) -> dict[str, object]:
    """Return an error as RFC 9457 problem details; ``type`` is the address of its page."""
    return {
        "type": f"/errors/{known.code.value}",
        "title": known.title,
        "status": known.status,
        "code": known.code.value,
        "detail": known.why,
        "fix": known.fix,
    }


Answer: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]
"""What answers an error: with a page where a person asked."""


class Envelope:
    """Pure ASGI middleware: echoes the request ids, forbids caching and framing, logs one line, makes a fixed 500 of what nobody caught.

    Whoever shows no token is counted by address here; who shows one is counted by client when it is known (``Service.admit``).
    """

    def __init__(self, app: ASGIApp, limits: Limits, answer: Answer | None = None) -> None:
        self._app = app
        self._limits = limits
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        sent = dict(scope["headers"])
        ids = [(name, value) for name, value in scope["headers"] if name in ECHOED]
        echoed = [(n, value) for n, value in ids if _UUID.fullmatch(value.decode("latin-1")) and sum(n == name for name, _ in ids) == 1]
        fixed = _fixed_headers(scope)

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                names = {name for name, _ in headers}
                headers.extend(header for header in [*echoed, *fixed] if header[0] not in names)
            await send(message)

        try:
            if b"authorization" not in sent:
                self._limits.require_address(address_of(scope))
            await self._app(scope, receive, send_wrapped)
        except Unavailable as error:
            await error_response(Request(scope), error)(scope, receive, send_wrapped)
        except Exception as error:
            # The text of an unforeseen error may quote what was being read, so only its kind is logged.
            LOG.error("unhandled", error=type(error).__name__, route=_route(scope))
            if status:
                raise RuntimeError("the answer broke off") from None
            response = await self._told(Request(scope), NotifyError(Issue(Code.SERVER_ERROR)))
            await response(scope, receive, send_wrapped)
        finally:
            leave(scope)
            ANSWERS.labels(status).inc()
            LOG.info(
                "request", method=scope["method"], route=_route(scope), status=status, ms=round((time.perf_counter() - began) * 1000, 1)
            )

    async def _told(self, request: Request, error: NotifyError) -> Response:
        """Return what whoever asked can read; problem details where even that fails."""
        try:
            return error_response(request, error) if self._answer is None else await self._answer(request, error)
        except Exception as second:
            LOG.error("unhandled", error=type(second).__name__, route=_route(request.scope))
            return error_response(request, error)


def _fixed_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    if not scope["path"].startswith("/static/"):
        return NOT_KEPT
    # An address with the file's digest is never that of another content.
    return LASTING if scope["query_string"].startswith(b"v=") else FIXED


def _route(scope: Scope) -> str:
    """Return the template of the route, never the path itself: what callers put into a path is theirs."""
    route = scope.get("route")
    return str(getattr(route, "path", "unknown"))


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text is not None and _UUID.fullmatch(text) else None
