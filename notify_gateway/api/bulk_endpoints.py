# SPDX-License-Identifier: MIT
"""``$process-messages``: a trust's back-book as NDJSON, answered line by line; each is judged as ``$process-message`` would judge it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from audit.receipts import make_promise
from notify_gateway.api.http import header, request_ids, require_acceptable, require_content_type, require_uncompressed
from notify_gateway.api.limits import LEAVING
from notify_gateway.api.ndjson import Lines, SenderGone
from notify_gateway.api.service import Service, service
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Duplicate, NotifyError, Refused, Unavailable
from notify_gateway.store.parties import Client
from notify_gateway.store.resent import Resent
from notify_gateway.use_cases.accept import Accepted
from notify_gateway.use_cases.access import TRUST_SCOPE
from notify_gateway.use_cases.bulk import Answered, BackBook, Pause, Turns

router = APIRouter(prefix="/fhir/R4", tags=["FHIR"])

NDJSON, FHIR_NDJSON = "application/x-ndjson", "application/fhir+ndjson"
HELD_BYTES = 1024 * 1024
"""Results held back until the request has been read to its end.

Many clients, and nginx as a proxy, stop sending once an answer begins; so up to so much of it (well over a thousand lines) waits for the
end of the request. A longer call is answered while it is being sent, and must be read while it is written.
"""
LOOK_EVERY = 5.0
"""Seconds after which the token and the service's health are looked at again within a call."""
NOT_NOW = (408, 425, 429)
"""Statuses below 500 that say nothing against the message: the same line may be sent again."""
TAKEN_WITHIN = 60.0
"""Seconds within which a sender must take what it is answered."""


@router.post("/$process-messages", response_class=Response)
async def process_messages(request: Request) -> Response:
    """Take many notifications, one message to a line: 200 and, for each line, what it came to; the last line sums up.

    A last line without ``summary`` means that the answer was cut off. Lines that are sent again are answered as duplicates.
    """
    parts = service(request)
    _, correlation_id = request_ids(request)
    _require_ndjson(request)
    client = await parts.admit(request, TRUST_SCOPE)
    parts.require_healthy()
    turns: Turns = request.app.state.turns
    request.scope.setdefault(LEAVING, []).append(turns.arrive(client.id))
    lines = Lines(request, parts.gateway.settings.max_body)
    book = BackBook(
        parts.gateway,
        parts.committer,
        turns,
        client=client,
        correlation_id=correlation_id,
        check_large=parts.check_large,
        may_go_on=Permission(parts, request, client).wait,
        crowded=lambda: parts.limits.present > turns.calls,
    )
    written = Results(parts, book, lines).lines()
    held: list[bytes] = []
    size = 0
    async for result in written:
        if isinstance(result, Pause):
            break
        held.append(result)
        size += len(result)
        if lines.ended or size > HELD_BYTES:
            break
    return NdjsonResponse(held, written)


class Permission:
    """Whether a call may go on with its next line."""

    def __init__(self, parts: Service, request: Request, client: Client) -> None:
        self._parts, self._client = parts, client
        self._authorization = header(request, "authorization")
        self._looked_at = asyncio.get_running_loop().time()

    async def wait(self) -> None:
        """Return when the client's rate allows a line more; raises what a request of its own would be refused with by now."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked_at > LOOK_EVERY:
            try:
                await asyncio.to_thread(self._parts.doorkeeper.admit, self._authorization, TRUST_SCOPE)
            except SQLAlchemyError:
                raise Unavailable(Code.DATABASE_UNAVAILABLE) from None
            self._parts.require_healthy()
            self._looked_at = loop.time()
        while True:
            try:
                return self._parts.limits.spend(self._client.id)
            except Unavailable as error:
                await asyncio.sleep(error.retry_after)


class Results:
    """The lines of the answer."""

    def __init__(self, parts: Service, book: BackBook, lines: Lines) -> None:
        self._parts, self._book, self._lines = parts, book, lines
        self._count: Counter[str] = Counter()

    async def lines(self) -> AsyncGenerator[bytes | Pause, None]:
        """Yield a line for each line of the request, ``PAUSE`` where the sender paused, then the summary, unless the sender has gone."""
        stopped: NotifyError | None = None
        try:
            async with aclosing(self._book.answers(self._lines.items())) as answers:
                async for answer in answers:
                    yield answer if isinstance(answer, Pause) else self._line(answer)
        except SenderGone:
            return
        except NotifyError as error:
            stopped = error
        counted = {name: self._count[name] for name in ("lines", "accepted", "duplicate", "refused", "unsettled")}
        end = {"complete": True} if stopped is None else {"complete": False, "stopped": _fault(stopped)}
        yield orjson.dumps({"summary": counted | end}, option=orjson.OPT_APPEND_NEWLINE)

    def _line(self, answer: Answered) -> bytes:
        result: dict[str, Any] = {"line": answer.line}
        if answer.request_id is not None:
            result["request_id"] = str(answer.request_id)
        if answer.accepted is not None:
            result |= {"status": 202} | self._kept(answer.accepted.notification_id, answer.accepted)
        elif answer.error is not None:
            result |= _fault(answer.error)
            if isinstance(answer.error, Duplicate):
                result |= self._kept(answer.error.notification_id, answer.resent)
        self._count.update(("lines", _ended(result["status"], answer.error)))
        return orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE)

    def _kept(self, notification_id: UUID, kept: Accepted | Resent | None) -> dict[str, Any]:
        where = {"location": f"{self._parts.gateway.settings.base_url}/fhir/R4/Task/{notification_id}"}
        if kept is None:
            return where
        promise = make_promise(
            *self._parts.runtime.promise_signers,
            origin=self._parts.gateway.settings.log_origin,
            leaf_hash=kept.leaf_hash,
            accepted_at=kept.accepted_at,
        )
        return where | {"reference": kept.reference, "authority": kept.authority, "promise": promise}


class NdjsonResponse(Response):
    """Lines as they come. A sender that does not take them within ``TAKEN_WITHIN`` seconds is left, and sees that the answer broke off."""

    def __init__(self, held: list[bytes], more: AsyncGenerator[bytes | Pause, None]) -> None:
        # A proxy that would hold answers back is asked not to.
        super().__init__(b"", 200, {"X-Accel-Buffering": "no"}, media_type=NDJSON)
        self._held, self._more = held, more

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the lines, each as soon as there is one."""
        headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        async with aclosing(self._more):
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            with suppress(TimeoutError):
                await _send_within(send, b"".join(self._held))
                self._held.clear()
                async for line in self._more:
                    if not isinstance(line, Pause):
                        await _send_within(send, line)
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_within(send: Send, body: bytes) -> None:
    async with asyncio.timeout(TAKEN_WITHIN):
        await send({"type": "http.response.body", "body": body, "more_body": True})


def _require_ndjson(request: Request) -> None:
    require_uncompressed(request)
    try:
        require_content_type(request, FHIR_NDJSON)
    except Refused:
        require_content_type(request, NDJSON)
    try:
        require_acceptable(request, NDJSON)
    except Refused:
        require_acceptable(request, FHIR_NDJSON)


def _fault(error: NotifyError) -> dict[str, Any]:
    first = entry(error.issues[0].code)
    issues = [{"code": i.code} | ({} if i.expression is None else {"expression": i.expression}) for i in error.issues]
    told: dict[str, Any] = {"status": first.status, "code": first.code.value, "issues": issues}
    return told | {"retry_after": error.retry_after} if isinstance(error, Unavailable) else told


def _ended(status: int, error: NotifyError | None) -> str:
    if error is None:
        return "accepted"
    if isinstance(error, Duplicate):
        return "duplicate"
    return "unsettled" if status in NOT_NOW or status >= 500 else "refused"
