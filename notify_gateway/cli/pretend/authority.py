# SPDX-License-Identifier: MIT
"""The pretend authority at work: takes webhooks, collects what waits, opens it if it has the key, acknowledges."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx2
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from notify_gateway.cli.pretend.journal import Arrival, Journal
from notify_gateway.domain.clock import Clock
from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey
from notify_gateway.privacy.opening import CannotOpen, open_delivery
from workers.channels.reference_receiver import SignatureRefused, verify

MOST_BYTES = 16 * 1024 * 1024
PAGE = 50
PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What the authority has: the gateway's key always; a token to collect with and a private key to open with perhaps."""

    gateway_url: str
    gateway_key: VerifyingKey
    address: str | None
    """Its webhook's address as it was registered; without one, the request's own is believed, which is for trying things out only."""
    token: str | None
    private_key: RecipientPrivateKey | None
    poll_every: float


class PretendAuthority:
    """Runs on one event loop. ``say`` is told what happens, in words that name no child."""

    def __init__(self, equipment: Equipment, journal: Journal, clock: Clock, say: Callable[[str], None]) -> None:
        self._has, self._journal, self._clock, self._say = equipment, journal, clock, say
        self._public = Ed25519PublicKey.from_public_bytes(equipment.gateway_key.raw)
        self._reachable = True

    async def run(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Listen, and collect if there is a token, until ``stop`` is set."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/deliveries", self._take)
        app.router.add_get("/_status", self._status)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            await (self._collect_until(stop) if self._has.token else stop.wait())
        finally:
            await runner.cleanup()

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "pass", "applied": self._journal.count()})

    async def _take(self, request: web.Request) -> web.Response:
        """Answer a webhook: 200 with the digest once it is kept, 401 and nothing kept if it is not what the gateway signed."""
        body = await request.read()
        url = self._has.address or str(request.url)
        try:
            proved = verify(request.method, url, request.headers, body, self._public, self._journal, self._clock.now())
        except SignatureRefused as refused:
            self._say(f"webhook refused: {refused.code}")
            return web.json_response({"refused": refused.code}, status=401)
        document = _document(body)
        if document is None or document["delivery_id"] != proved.delivery_id:
            self._say("webhook refused: signed, and yet no delivery")
            return web.json_response({"refused": "not-a-delivery"}, status=422)
        self._keep(document, body, "webhook")
        return web.json_response(proved.confirmation)

    def _keep(self, document: dict[str, Any], body: bytes, how: str) -> None:
        reference, event = str(document["reference"]), str(document["event"])
        digest = sha256(body).hexdigest()
        new = self._journal.apply(Arrival(document["delivery_id"], reference, event, digest, how, self._clock.now(), body))
        if not new:
            self._say(f"{reference} came again by {how}: nothing to do")
            return
        self._say(f"{reference} came by {how} ({event}, {len(body):,} bytes, SHA-256 {digest[:12]}…) and is kept")
        if self._has.private_key is not None and document["envelopes"]:
            self._open(reference, document, self._has.private_key)

    def _open(self, reference: str, document: dict[str, Any], key: RecipientPrivateKey) -> None:
        try:
            opened = open_delivery(document, key, self._has.gateway_key)
        except CannotOpen as error:
            self._say(f"{reference} does not open: {error.why.value}")
            return
        original = "" if opened.original is None else f", original of {len(opened.original.reveal()):,} bytes matches it"
        parts = len(opened.card.reveal())
        self._say(f"{reference} opened with {key.kid}: card of {parts} parts (not shown here){original}")

    async def _collect_until(self, stop: asyncio.Event) -> None:
        bearer = {"Authorization": f"Bearer {self._has.token}"}
        trust = ssl.create_default_context()
        async with httpx2.AsyncClient(base_url=self._has.gateway_url, headers=bearer, timeout=PATIENCE, verify=trust) as client:
            while not stop.is_set():
                try:
                    await self._collect(client)
                except (httpx2.HTTPError, ValueError, KeyError) as error:
                    self._tell_once(f"cannot collect for now ({type(error).__name__}); trying again")
                else:
                    self._reachable = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._has.poll_every)

    async def _collect(self, client: httpx2.AsyncClient) -> None:
        """Take over all that waits, then acknowledge all that is held."""
        more = True
        while more:
            page = (await _answer(client, "GET", f"/authority/v1/deliveries?limit={PAGE}")).json()
            for waiting in page["deliveries"]:
                await self._fetch(client, waiting["delivery_id"])
            more = page["more"]
        for delivery_id, reference in self._journal.to_acknowledge():
            answer = await client.post(f"/authority/v1/deliveries/{delivery_id}/acknowledge")
            if answer.status_code == 200:
                self._journal.acknowledged(delivery_id, self._clock.now())
                self._say(f"{reference} acknowledged")

    async def _fetch(self, client: httpx2.AsyncClient, delivery_id: str) -> None:
        body = (await _answer(client, "GET", f"/authority/v1/deliveries/{delivery_id}")).content
        document = _document(body)
        if document is None:
            raise ValueError("not a delivery")
        self._keep(document, body, "pull")
        digest = {"digest": sha256(body).hexdigest()}
        await _answer(client, "POST", f"/authority/v1/deliveries/{delivery_id}/received", json=digest)
        self._say(f"{document['reference']} confirmed: the service knows that it is kept")

    def _tell_once(self, words: str) -> None:
        if self._reachable:
            self._say(words)
        self._reachable = False


async def _answer(client: httpx2.AsyncClient, method: str, path: str, **body: Any) -> httpx2.Response:
    return (await client.request(method, path, **body)).raise_for_status()


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    wanted = ("delivery_id", "reference", "event", "envelopes")
    return document if isinstance(document, dict) and all(name in document for name in wanted) else None
