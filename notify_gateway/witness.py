# SPDX-License-Identifier: MIT
"""The witness's door (https://c2sp.org/tlog-witness): an application of its own, for machines without our data and settings."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from audit.witness import MAX_REQUEST, NotCosigned, StateRefused, Why, Witness

LOG = structlog.get_logger(__name__)

STATUS = {Why.MALFORMED: 400, Why.UNKNOWN_LOG: 404, Why.NOT_SIGNED: 403, Why.OTHER_SIZE: 409, Why.INCONSISTENT: 422}
TREE_SIZE = "text/x.tlog.size"
BODY_WITHIN = 10.0
"""Seconds that a request has to arrive in full."""
MOST_ADDRESSES = 10_000


class Allowance:
    """So many requests a second from each address, and so many at once; whoever asks for more is told to wait."""

    def __init__(self, per_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._step, self._burst, self._clock = 1 / per_second, at_once, clock
        self._due: dict[str, float] = {}

    def take(self, address: str) -> bool:
        """Count one request of the address, or say that it comes too soon and count nothing."""
        key, now = _network(address), self._clock()
        due = max(self._due.get(key, 0.0), now)
        if due - now > (self._burst - 1) * self._step + 1e-9:
            return False
        self._due[key] = due + self._step
        if len(self._due) > MOST_ADDRESSES:
            # Whoever owes nothing stands as if it had never come.
            self._due = {each: owed for each, owed in self._due.items() if owed > now}
        return True


def create_witness(witness: Witness, *, allowance: Allowance | None = None) -> Starlette:
    """Return the application: ``POST /add-checkpoint``, ``GET /<origin hash>/checkpoint`` and ``GET /_ping``."""
    allowed = allowance or Allowance(per_second=10, at_once=50)

    async def add_checkpoint(request: Request) -> Response:
        if not allowed.take(request.client.host if request.client else ""):
            return PlainTextResponse("too many requests\n", 429, {"Retry-After": "1"})
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await _bounded(request)
        except TimeoutError:
            return PlainTextResponse("the request did not arrive in time\n", 408)
        if body is None:
            return PlainTextResponse("the request is too large\n", 413)
        try:
            line = await asyncio.to_thread(witness.add_checkpoint, body)
        except NotCosigned as refused:
            tell = LOG.error if refused.why is Why.INCONSISTENT else LOG.warning
            tell("not-cosigned", why=refused.why.value, known_size=refused.known_size)
            return _refusal(refused)
        except (OSError, StateRefused) as error:
            LOG.error("cannot-cosign", why=str(error) if isinstance(error, StateRefused) else type(error).__name__)
            return PlainTextResponse("this witness cannot cosign now; its operator has to look\n", 503, {"Retry-After": "60"})
        LOG.info("cosigned")
        return PlainTextResponse(line)

    async def read_checkpoint(request: Request) -> Response:
        try:
            note = await asyncio.to_thread(witness.seen_note, request.path_params["origin_hash"])
        except (OSError, StateRefused):
            return PlainTextResponse("this witness cannot read its memory; its operator has to look\n", 503)
        if note is None:
            return PlainTextResponse("no checkpoint of such a log was cosigned\n", 404)
        return PlainTextResponse(note, headers={"Cache-Control": "max-age=5"})

    async def ping(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    routes = [
        Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
        Route("/{origin_hash}/checkpoint", read_checkpoint, methods=["GET"]),
        Route("/_ping", ping, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={Exception: _unforeseen})


def _refusal(refused: NotCosigned) -> Response:
    status = STATUS[refused.why]
    if refused.known_size is not None:
        # Not as PlainTextResponse: the specification's content type has no character set.
        return Response(f"{refused.known_size}\n", status, {"Content-Type": TREE_SIZE})
    return PlainTextResponse(f"{refused}\n", status)


async def _unforeseen(_request: Request, error: Exception) -> Response:
    LOG.error("unforeseen", error=type(error).__name__)
    return PlainTextResponse("unforeseen error\n", 500)


async def _bounded(request: Request) -> bytes | None:
    """Return the body, or None as soon as it is known to be larger than a request can be."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdecimal() and int(declared[:20]) > MAX_REQUEST:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST:
            return None
    return bytes(body)


def _network(address: str) -> str:
    """Return what one subscriber has: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False)) if ":" in address else address
    except ValueError:
        return address
