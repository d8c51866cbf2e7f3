# SPDX-License-Identifier: MIT
"""An authority's receiver that keeps what is sent to it and misbehaves as it is told to; and the certificates that it shows."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from tests.support.receiver import RecordingReceiver

Manner = Callable[[web.Request, Callable[[], Coroutine[Any, Any, web.Response]]], Coroutine[Any, Any, web.StreamResponse]]
Keep = Callable[[], Coroutine[Any, Any, web.Response]]


async def honest(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Keep the delivery and confirm it."""
    return await keep()


async def slow(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Take two seconds over each."""
    await asyncio.sleep(2)
    return await keep()


async def broken(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Keep it, and answer 500 all the same, as one that dies between its commit and its answer."""
    await keep()
    return web.Response(status=500)


async def busy(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Keep nothing, and ask for two seconds."""
    await request.read()
    return web.Response(status=503, headers={"Retry-After": "2"})


async def resets_early(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Break the connection off before anything is read."""
    return _break_off(request)


async def resets_late(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Keep it and break the connection off."""
    await keep()
    return _break_off(request)


async def half(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Keep it and break the connection off within the answer."""
    body = (await keep()).body
    assert isinstance(body, bytes)
    assert request.transport is not None
    _write(request, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:20])
    await asyncio.sleep(0.05)
    return _break_off(request)


async def lies(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Say 200 without a word on what was received, and keep nothing."""
    await request.read()
    return web.json_response({"thanks": True})


async def mistakes(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Keep it, and confirm other bytes than those that came."""
    await keep()
    return web.json_response({"delivery_id": request.headers["Idempotency-Key"], "received": "0" * 64})


async def answers_twice(request: web.Request, keep: Keep) -> web.StreamResponse:
    """Confirm it twice on the one connection: the second answer meets whatever is asked next."""
    answer = await keep()
    assert isinstance(answer.body, bytes)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer.body)
    _write(request, head + answer.body)
    return answer


def _write(request: web.Request, data: bytes) -> None:
    transport = request.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.write(data)


def _break_off(request: web.Request) -> web.Response:
    if isinstance(request.transport, asyncio.WriteTransport):
        request.transport.abort()
    return web.Response()


class Misbehaving(RecordingReceiver):
    """A ``RecordingReceiver`` behind an address of its own, with a ``manner`` that may be changed at any time.

    While it is ``holding``, what was kept is not answered; ``held`` counts those. ``under_way`` are the requests that it has in hand.
    """

    def __init__(self) -> None:
        self.manner: Manner = honest
        self.public_url = ""
        self.holding = False
        self.held = 0
        self.under_way = 0
        super().__init__()

    @property
    def url(self) -> str:
        return self.public_url or super().url

    async def _receive(self, request: web.Request) -> web.Response:
        self.under_way += 1
        try:
            answer = await self.manner(request, lambda: super(Misbehaving, self)._receive(request))
            if self.holding:
                self.held += 1
                while self.holding:
                    await asyncio.sleep(0.02)
        finally:
            self.under_way -= 1
        assert isinstance(answer, web.Response)
        return answer


@dataclass(frozen=True)
class Certificates:
    """A certificate for this machine by a root that the service trusts (``ca``), and a key and certificate of nobody's."""

    ca: Path
    right: Path
    wrong: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        """Write them into the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        root_key, root = _certificate("Authority root", None, None)
        made = cls(folder / "ca.pem", folder / "right.pem", folder / "wrong.pem")
        made.ca.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        made.right.write_bytes(_both(*_certificate("localhost", root_key, root)))
        made.wrong.write_bytes(_both(*_certificate("localhost", None, None)))
        return made

    def context(self) -> ssl.SSLContext:
        """Return a server's context with the right certificate; ``load_cert_chain`` of another file changes what it shows from then on."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.right)
        return context


def _certificate(
    name: str, issuer_key: ec.EllipticCurvePrivateKey | None, issuer: x509.Certificate | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)  # noqa: TID251 - TLS goes by the machine's clock
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(
        issuer_name=issuer.subject if issuer else subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=7),
    )
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=name != "localhost", path_length=None), critical=True)
    return key, builder.sign(issuer_key or key, SHA256())


def _both(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(serialization.Encoding.PEM)
