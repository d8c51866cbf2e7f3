# SPDX-License-Identifier: MIT
"""The webhook against a real receiver that fails in every way, and the signature against two verifiers."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms

from notify_gateway.domain.clock import Clock, SystemClock
from notify_gateway.domain.delivery import AttemptResult, Outgoing
from notify_gateway.egress.guard import Egress
from tests.workers.conftest import FixedClock
from tests.workers.receiver import Receiver
from tests.workers.test_egress import Fixed
from workers.channels.reference_receiver import COMPONENTS, SignatureRefused, verify
from workers.channels.signature import RequestSigner
from workers.channels.webhook import WebhookChannel

NOON = FixedClock().now()
DOCUMENT = b'{"format":"notify-gateway/delivery"}'


def outgoing(url: str | None) -> Outgoing:
    return Outgoing(uuid4(), "E06000004", "webhook", 1, {"url": url} if url else {}, DOCUMENT)


def send(
    signer: RequestSigner,
    batch: Sequence[Outgoing],
    *,
    private: bool = True,
    timeout: float = 1.0,
    clock: Clock | None = None,
) -> list[AttemptResult]:
    async def once() -> list[AttemptResult]:
        channel = WebhookChannel(
            signer=signer,
            clock=clock or FixedClock(),
            timeout=timedelta(seconds=timeout),
            egress=Egress(allow_private=private),
        )
        try:
            return await channel.send(batch)
        finally:
            await channel.close()

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("path", "outcome", "code", "retry_after"),
    [
        ("good", "received", "received", None),
        ("slow", "received", "received", None),
        ("twice", "received", "received", None),
        ("error", "retry", "http-500", None),
        ("busy", "retry", "http-503", 7.0),
        ("busy-until", "retry", "http-503", 30.0),
        ("busy-nonsense", "retry", "http-429", None),
        ("busy-forever", "retry", "http-503", 86400.0),
        ("accepted", "retry", "http-202", None),
        ("redirect", "retry", "redirect", None),
        ("reset", "retry", "reset", None),
        ("half", "retry", "reset", None),
        ("hang", "retry", "timeout", None),
        ("drip", "retry", "timeout", None),
        ("not-http", "retry", "bad-answer", None),
        ("garbage", "retry", "bad-answer", None),
        ("list", "retry", "bad-answer", None),
        ("empty", "retry", "bad-answer", None),
        ("long", "retry", "bad-answer", None),
        ("bomb", "retry", "bad-answer", None),
        ("wrong-delivery", "retry", "bad-answer", None),
        ("wrong-digest", "retry", "digest-mismatch", None),
    ],
)
def test_what_the_receiver_does_decides_the_result(
    receiver: Receiver, signer: RequestSigner, path: str, outcome: str, code: str, retry_after: float | None
) -> None:
    [result] = send(signer, [outgoing(receiver.url(path))])
    assert (str(result.outcome), result.code, result.retry_after) == (outcome, code, retry_after)
    assert list(receiver.posts.values()) == [1]


def test_nobody_listening_is_refused(signer: RequestSigner) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        [result] = send(signer, [outgoing(f"http://127.0.0.1:{bound.getsockname()[1]}/good")])
    assert result.code == "refused"


@pytest.mark.parametrize("url", ["http://la.example/in", "https://localhost/in", "https://127.0.0.1/in", "https://[::ffff:10.0.0.1]/in"])
def test_nothing_leaves_for_a_private_address(signer: RequestSigner, url: str) -> None:
    [result] = send(signer, [outgoing(url)], private=False)
    assert result.code in ("egress-scheme", "egress-address")


def test_one_failure_never_harms_the_rest_and_64_go_at_once(receiver: Receiver, signer: RequestSigner) -> None:
    batch = [outgoing(receiver.url("error" if index % 10 == 0 else "slow")) for index in range(100)] + [outgoing(None)]
    results = send(signer, batch, timeout=5)
    assert [result.delivery_id for result in results] == [each.delivery_id for each in batch]
    assert sum(result.code == "received" for result in results) == 90
    assert results[-1].code == "egress-url"
    assert 32 < receiver.most_under_way <= 64


class Nonces:
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def first_use(self, nonce: str, *, until: object) -> bool:
        fresh = nonce not in self.seen
        self.seen.add(nonce)
        return fresh


def test_a_general_library_accepts_the_signature(receiver: Receiver, signer: RequestSigner) -> None:
    class Keys(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str):  # type: ignore[no-untyped-def]
            assert key_id == "gateway-1"
            return signer.private_key.public_key()

    send(signer, [outgoing(receiver.url() + "?b=1&a=%20x")], clock=SystemClock())
    [(method, url, headers, body)] = receiver.requests
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Keys())
    [verified] = verifier.verify(
        SimpleNamespace(method=method, url=url, headers=headers),
        expect_tag="notify-gateway",
        max_age=timedelta(minutes=5),
        require_components=COMPONENTS,
        body=body,
    )
    assert verified.parameters["expires"] - verified.parameters["created"] == 300


def signed(signer: RequestSigner, receiver: Receiver) -> tuple[str, str, dict[str, str], bytes]:
    send(signer, [outgoing(receiver.url())])
    return receiver.requests[-1]


def test_the_reference_verifier_accepts_once(receiver: Receiver, signer: RequestSigner) -> None:
    method, url, headers, body = signed(signer, receiver)
    key, seen = signer.private_key.public_key(), Nonces()
    verified = verify(method, url, headers, body, key, seen, NOON)
    assert verified.confirmation["delivery_id"] == headers["Idempotency-Key"]
    with pytest.raises(SignatureRefused, match="nonce-used"):
        verify(method, url, headers, body, key, seen, NOON)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": b"{}"}, "digest"),
        ({"method": "PUT"}, "signature"),
        ({"url": "https://other.example/good"}, "signature"),
        ({"Idempotency-Key": str(uuid4())}, "signature"),
        ({"Content-Type": "text/plain"}, "signature"),
        ({"Content-Digest": ""}, "header-missing"),
        ({"Signature": "sig1=:AAAA:"}, "malformed"),
        ({"Signature": ""}, "malformed"),
        ({"Signature-Input": ""}, "malformed"),
        ({"input": ('"idempotency-key"', '"@method"')}, "components"),
        ({"input": (' "content-digest"', "")}, "components"),
        ({"input": ('tag="notify-gateway"', 'tag="other"')}, "parameters"),
        ({"input": (";nonce=", ";nonsense=")}, "parameters"),
        ({"input": ('alg="ed25519"', 'alg="hmac-sha256"')}, "parameters"),
        ({"input": ("expires=1", "expires=9")}, "signature"),
        ({"now": NOON + timedelta(minutes=6)}, "expired"),
        ({"now": NOON - timedelta(minutes=6)}, "from-the-future"),
        ({"key": Ed25519PrivateKey.generate().public_key()}, "signature"),
    ],
)
def test_the_reference_verifier_refuses(receiver: Receiver, signer: RequestSigner, change: dict, code: str) -> None:  # type: ignore[type-arg]
    method, url, headers, body = signed(signer, receiver)
    if "input" in change:
        headers["Signature-Input"] = headers["Signature-Input"].replace(*change["input"])
    headers |= {name: value for name, value in change.items() if name[0].isupper()}
    seen = Nonces()
    with pytest.raises(SignatureRefused) as refused:
        verify(
            change.get("method", method),
            change.get("url", url),
            headers,
            change.get("body", body),
            change.get("key", signer.private_key.public_key()),
            seen,
            change.get("now", NOON),
        )
    assert refused.value.code == code
    assert not seen.seen


def test_tls_is_verified_and_the_name_is_kept_for_a_pinned_address(signer: RequestSigner, tmp_path: Path) -> None:
    serving, trust = certificate_for("la.example", tmp_path)
    receiver = Receiver(trust=serving)
    url = f"https://la.example:{receiver.port}/good"

    async def once(trusted: ssl.SSLContext | None) -> str:
        channel = WebhookChannel(
            signer=signer,
            clock=FixedClock(),
            timeout=timedelta(seconds=2),
            egress=Egress(allow_private=True),
            resolver=Fixed("127.0.0.1"),
            trust=trusted,
        )
        try:
            return (await channel.send([outgoing(url)]))[0].code
        finally:
            await channel.close()

    assert asyncio.run(once(trust)) == "received"
    assert receiver.hosts == {f"la.example:{receiver.port}"}
    assert asyncio.run(once(None)) == "tls"
    receiver.close()


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    present = SystemClock().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(present - timedelta(days=1))
        .not_valid_after(present + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    chain = folder / "chain.pem"
    chain.write_bytes(certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain)
    return serving, ssl.create_default_context(cadata=certificate.decode())
