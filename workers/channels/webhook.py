# SPDX-License-Identifier: MIT
"""Webhook: one signed POST per delivery over kept connections; received only when the receiver names the digest of the exact bytes."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import orjson
import structlog
from aiohttp.abc import AbstractResolver

from notify_gateway.domain.clock import Clock
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.egress.guard import Egress, EgressRefused, GuardedResolver
from workers.channels.signature import RequestSigner

CONCURRENCY = 64
MOST_ANSWER = 16 * 1024
LONGEST_WAIT = timedelta(days=1)

_log = structlog.get_logger("workers.webhook")


class WebhookChannel:
    """Posts deliveries; each POST takes at most ``timeout``, at most 64 of a batch are under way at once."""

    def __init__(
        self,
        *,
        signer: RequestSigner,
        clock: Clock,
        timeout: timedelta,
        egress: Egress,
        resolver: AbstractResolver | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._signer, self._clock, self._egress = signer, clock, egress
        self._timeout, self._resolver, self._trust = timeout, resolver, trust
        self._session: aiohttp.ClientSession | None = None
        self._posts: set[asyncio.Task[AttemptResult]] = set()
        self._closed = False

    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        """Post each delivery once and return one result for each, in order."""
        slots = asyncio.Semaphore(CONCURRENCY)
        posts = [asyncio.create_task(self._attempt(each, slots)) for each in batch]
        self._posts.update(posts)
        try:
            if posts:
                await asyncio.wait(posts)
        finally:
            self._posts.difference_update(posts)
        return [
            AttemptResult.retry(each, "stopping") if post.cancelled() else post.result() for each, post in zip(batch, posts, strict=True)
        ]

    async def close(self) -> None:
        """End the POSTs under way (``retry``, code ``stopping``) and close all connections."""
        self._closed = True
        for post in self._posts:
            post.cancel()
        if self._session is not None:
            await self._session.close()

    async def _attempt(self, outgoing: Outgoing, slots: asyncio.Semaphore) -> AttemptResult:
        async with slots:
            try:
                return await self._post(outgoing)
            except Exception as error:
                code = _code_of(error)
                if code == "unexpected":
                    _log.error("webhook-unexpected", delivery=str(outgoing.delivery_id), error=type(error).__name__)
                return AttemptResult.retry(outgoing, code)

    async def _post(self, outgoing: Outgoing) -> AttemptResult:
        url = self._egress.url(outgoing.route.get("url"))
        digest = hashlib.sha256(outgoing.document)
        headers = self._signer.headers(
            url=str(url), idempotency_key=str(outgoing.delivery_id), digest=digest.digest(), now=self._clock.now()
        )
        async with self._open().post(url, data=outgoing.document, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                code = "redirect" if 300 <= answer.status < 400 else f"http-{answer.status}"
                return AttemptResult.retry(outgoing, code, self._retry_after(answer.headers.get("Retry-After")))
            return _judge(outgoing, digest.hexdigest(), await _read(answer.content))

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise asyncio.CancelledError
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                resolver=GuardedResolver(self._egress, self._resolver),
                use_dns_cache=False,
                ssl=self._trust or True,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._timeout.total_seconds()),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "notify-gateway", "Accept": "application/json", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _retry_after(self, value: str | None) -> float | None:
        """Return the seconds that ``Retry-After`` asks for (RFC 9110 10.2.3: a number or a date), at most a day."""
        if value is None:
            return None
        if value.isascii() and value.isdigit():
            seconds = float(value[:9])
        else:
            try:
                at = parsedate_to_datetime(value)
            except ValueError:
                return None
            seconds = (_aware(at) - self._clock.now()).total_seconds()
        return min(max(seconds, 0.0), LONGEST_WAIT.total_seconds())


def _judge(outgoing: Outgoing, digest: str, body: bytes | None) -> AttemptResult:
    """Return ``received`` only for an answer that names this delivery and this digest."""
    try:
        answer = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict) or answer.get("delivery_id") != str(outgoing.delivery_id):
        return AttemptResult.retry(outgoing, "bad-answer")
    if answer.get("received") != digest:
        return AttemptResult.retry(outgoing, "digest-mismatch")
    return AttemptResult(outgoing.delivery_id, outgoing.attempt, AttemptOutcome.RECEIVED, "received", digest=digest)


async def _read(content: aiohttp.StreamReader) -> bytes | None:
    """Return the whole answer, or None when it is longer than an answer may be."""
    body = bytearray()
    while chunk := await content.read(MOST_ANSWER + 1 - len(body)):
        body += chunk
        if len(body) > MOST_ANSWER:
            return None
    return bytes(body)


def _code_of(error: Exception) -> str:
    """Return the stable code of what went wrong on the way; never a text that names an address."""
    match error:
        case EgressRefused():
            return error.code
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorDNSError():
            return "unresolved"
        case aiohttp.ClientSSLError():
            return "tls"
        case aiohttp.ClientConnectorError():
            return "refused" if isinstance(error.os_error, ConnectionRefusedError) else "unreachable"
        case aiohttp.ClientResponseError():
            return "bad-answer"
        case aiohttp.InvalidURL():
            return "egress-url"
        case aiohttp.ClientPayloadError() | aiohttp.ClientConnectionError() | ConnectionError():
            return "reset"
        case _:
            return "unexpected"


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
