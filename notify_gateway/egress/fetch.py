# SPDX-License-Identifier: MIT
"""Fetching one small document from an address that somebody else chose: bounded in size and time, behind the guard, without redirects."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp.abc import AbstractResolver

from notify_gateway.egress.guard import Egress, EgressRefused, GuardedResolver


class FetchFailed(Exception):
    """The document could not be had; ``code`` says why in a word. Holds nothing of the address or the answer."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How documents are fetched: where to, how much and how long at most; ``resolver`` and ``trust`` are for tests and private roots."""

    egress: Egress
    most_bytes: int
    within: timedelta
    resolver: AbstractResolver | None = None
    trust: ssl.SSLContext | None = None

    def fetch(self, url: str) -> bytes:
        """Return the document; raises ``EgressRefused`` or ``FetchFailed``. Not to be called from a thread that runs an event loop."""
        return asyncio.run(self._fetch(url))

    async def _fetch(self, url: str) -> bytes:
        address = self.egress.url(url)
        connector = aiohttp.TCPConnector(resolver=GuardedResolver(self.egress, self.resolver), use_dns_cache=False, ssl=self.trust or True)
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self.within.total_seconds()),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "notify-gateway", "Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )
        try:
            async with session, session.get(address, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise FetchFailed("status")
                return await self._read(answer.content)
        except EgressRefused:
            raise
        except TimeoutError:
            raise FetchFailed("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The resolver's refusal may come wrapped in the client's own error.
            if isinstance(error.__cause__, EgressRefused):
                raise error.__cause__ from None
            raise FetchFailed("unreachable") from None

    async def _read(self, content: aiohttp.StreamReader) -> bytes:
        body = bytearray()
        async for chunk in content.iter_any():
            body += chunk
            if len(body) > self.most_bytes:
                raise FetchFailed("too-large")
        return bytes(body)
