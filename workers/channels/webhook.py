# SPDX-License-Identifier: MIT
"""Webhook: one signed POST per delivery over kept connections; received only when the receiver names the digest of the exact bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta

import orjson
import structlog
from aiohttp.abc import AbstractResolver

from notify_gateway.domain.clock import Clock
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.egress.guard import Egress
from workers.channels.posting import UNEXPECTED, Answer, SignedPoster, code_of
from workers.channels.signature import RequestSigner

CONCURRENCY = 64

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
        self._poster = SignedPoster(signer=signer, clock=clock, timeout=timeout, egress=egress, resolver=resolver, trust=trust)
        self._posts: set[asyncio.Task[AttemptResult]] = set()

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
        for post in self._posts:
            post.cancel()
        await self._poster.close()

    async def _attempt(self, outgoing: Outgoing, slots: asyncio.Semaphore) -> AttemptResult:
        async with slots:
            try:
                answer = await self._poster.post(outgoing.route.get("url"), outgoing.document, idempotency_key=str(outgoing.delivery_id))
                return _judge(outgoing, answer)
            except Exception as error:
                code = code_of(error)
                if code == UNEXPECTED:
                    _log.error("webhook-unexpected", delivery=str(outgoing.delivery_id), error=type(error).__name__)
                return AttemptResult.retry(outgoing, code)


def _judge(outgoing: Outgoing, answer: Answer) -> AttemptResult:
    """Return ``received`` only for a 200 that names this delivery and the digest of what was posted."""
    if answer.status != 200:
        return AttemptResult.retry(outgoing, answer.code, answer.retry_after)
    try:
        content = orjson.loads(answer.body or b"")
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict) or content.get("delivery_id") != str(outgoing.delivery_id):
        return AttemptResult.retry(outgoing, "bad-answer")
    if content.get("received") != answer.digest:
        return AttemptResult.retry(outgoing, "digest-mismatch")
    return AttemptResult(outgoing.delivery_id, outgoing.attempt, AttemptOutcome.RECEIVED, "received", digest=answer.digest)
