# SPDX-License-Identifier: MIT
"""One signed POST of JSON over kept connections, behind the guard of addresses: what full webhooks and alerts have in common."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.abc import AbstractResolver

from notify_gateway.domain.clock import Clock
from notify_gateway.egress.guard import Egress, EgressRefused, GuardedResolver
from workers.channels.signature import RequestSigner

MOST_ANSWER = 16 * 1024
LONGEST_WAIT = timedelta(days=1)
UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``digest`` is the SHA-256 (hex) of what was posted, ``retry_after`` in seconds; ``body`` is that of a 200, whole,
    or None when it is longer than an answer may be, and that of no other status.
    """

    status: int
    digest: str
    retry_after: float | None
    body: bytes | None

    @property
    def code(self) -> str:
        """The status in a word."""
        return "redirect" if 300 <= self.status < 400 else f"http-{self.status}"


class SignedPoster:
    """Posts from one event loop; each POST takes at most ``timeout``. ``resolver`` and ``trust`` are for tests and private roots."""

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
        self._closed = False

    async def post(self, address: str | None, body: bytes, *, idempotency_key: str) -> Answer:
        """Return what the receiver answers; no redirect is followed. Raises what ``code_of`` has a code for.

        Raises ``CancelledError`` once ``close`` was called.
        """
        url = self._egress.url(address)
        digest = hashlib.sha256(body)
        headers = self._signer.headers(url=str(url), idempotency_key=idempotency_key, digest=digest.digest(), now=self._clock.now())
        async with self._open().post(url, data=body, headers=headers, allow_redirects=False) as answer:
            retry_after = self._retry_after(answer.headers.get("Retry-After"))
            content = await _read(answer.content) if answer.status == 200 else None
            return Answer(answer.status, digest.hexdigest(), retry_after, content)

    async def close(self) -> None:
        """Close all connections; nothing is posted any more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

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


def code_of(error: Exception) -> str:
    """Return the stable code of what went wrong on the way, ``unexpected`` for what should not; never a text that names an address."""
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
            return UNEXPECTED


async def _read(content: aiohttp.StreamReader) -> bytes | None:
    """Return the whole answer, or None when it is longer than an answer may be."""
    body = bytearray()
    while chunk := await content.read(MOST_ANSWER + 1 - len(body)):
        body += chunk
        if len(body) > MOST_ANSWER:
            return None
    return bytes(body)


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
