# SPDX-License-Identifier: MIT
"""Alerts by thin webhook: a signed POST for each delivery that waits. Any 2xx will do, for nothing is handed over."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from datetime import timedelta

import structlog
from aiohttp.abc import AbstractResolver

from notify_gateway.domain.alerts import Alert, AlertKind, AlertResult, Untold
from notify_gateway.domain.clock import Clock
from notify_gateway.egress.guard import Egress
from workers.alerting.words import thin
from workers.channels.posting import UNEXPECTED, SignedPoster, code_of
from workers.channels.signature import RequestSigner

LONGEST = timedelta(seconds=30)
"""No POST takes longer, whatever the settings say of full webhooks: an alert's lease must outlast it."""

_log = structlog.get_logger("workers.alerting.thin_webhook")


class ThinWebhookSender:
    """Posts for several authorities at once, so that a slow one holds nobody up for longer than its own time-out."""

    kind = AlertKind.WEBHOOK
    at_once = 32

    def __init__(
        self,
        *,
        signer: RequestSigner,
        clock: Clock,
        timeout: timedelta,
        egress: Egress,
        base_url: str,
        resolver: AbstractResolver | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._signer, self._clock, self._egress, self._base_url = signer, clock, egress, base_url
        self._timeout, self._resolver, self._trust = min(timeout, LONGEST), resolver, trust
        self._lock = threading.Lock()
        self._under_way: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._closed = False

    def send(self, alerts: Sequence[Alert]) -> list[AlertResult]:
        """Post for each delivery of each alert and return one result for each alert. Not to be called where an event loop runs."""
        return asyncio.run(self._send(alerts))

    def close(self) -> None:
        """End what is under way, which fails with ``stopping``; safe from any thread."""
        with self._lock:
            self._closed = True
            if self._under_way is not None:
                loop, stop = self._under_way
                loop.call_soon_threadsafe(stop.set)

    async def _send(self, alerts: Sequence[Alert]) -> list[AlertResult]:
        stop = asyncio.Event()
        with self._lock:
            if self._closed:
                return [AlertResult((), "stopping") for _ in alerts]
            self._under_way = (asyncio.get_running_loop(), stop)
        poster = SignedPoster(
            signer=self._signer,
            clock=self._clock,
            timeout=self._timeout,
            egress=self._egress,
            resolver=self._resolver,
            trust=self._trust,
        )
        sending = asyncio.gather(*(self._alert(poster, alert) for alert in alerts))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((sending, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                return [AlertResult((), "stopping") for _ in alerts]
            return list(sending.result())
        finally:
            with self._lock:
                self._under_way = None
            stopping.cancel()
            await poster.close()

    async def _alert(self, poster: SignedPoster, alert: Alert) -> AlertResult:
        posts = await asyncio.gather(*(self._post(poster, alert, each) for each in alert.untold))
        told = tuple(each.delivery_id for each, (code, _) in zip(alert.untold, posts, strict=True) if code is None)
        failed = [(code, wait) for code, wait in posts if code is not None]
        if not failed:
            return AlertResult(told)
        waits = [wait for _, wait in failed if wait is not None]
        return AlertResult(told, failed[0][0], max(waits, default=None))

    async def _post(self, poster: SignedPoster, alert: Alert, untold: Untold) -> tuple[str | None, float | None]:
        try:
            body = thin(alert, untold, base_url=self._base_url)
            answer = await poster.post(alert.address, body, idempotency_key=str(untold.delivery_id))
        except Exception as error:
            code = code_of(error)
            if code == UNEXPECTED:
                _log.error("alert-unexpected", authority=alert.authority, error=type(error).__name__)
            return code, None
        return (None, None) if 200 <= answer.status < 300 else (answer.code, answer.retry_after)
