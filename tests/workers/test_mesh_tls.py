# SPDX-License-Identifier: MIT
"""Mutual TLS with the sandbox as MESH has it: only with our certificate, and only with the server that the CA signed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from notify_gateway.domain.clock import SystemClock
from tests.support.mesh import OURS, MeshSandbox
from tests.support.waiting import eventually, listens
from workers.channels.mesh_mailbox import MeshMailbox
from workers.channels.mesh_protocol import MeshFailed


@dataclass(frozen=True)
class Papers:
    """A CA and what it signed, as PEM files."""

    ca: Path
    certificate: Path
    private_key: Path


def papers(folder: Path) -> Papers:
    """Make a CA, and a certificate for 127.0.0.1 that serves both ends."""
    folder.mkdir()
    now = SystemClock().now()
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "end")}
    names = {name: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{folder.name} {name}")]) for name in keys}
    for number, (name, key) in enumerate(keys.items(), 1):
        certificate = (
            x509.CertificateBuilder()
            .subject_name(names[name])
            .issuer_name(names["ca"])
            .public_key(key.public_key())
            .serial_number(number)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .sign(keys["ca"], hashes.SHA256())
        )
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Papers(folder / "ca.pem", folder / "end.pem", folder / "end.key")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("tls") / "own")


@pytest.fixture(scope="module")
def behind_tls(own: Papers) -> Iterator[MeshSandbox]:
    asks = ("--ssl-certfile", own.certificate, "--ssl-keyfile", own.private_key, "--ssl-ca-certs", own.ca, "--ssl-cert-reqs", "2")
    sandbox = MeshSandbox(*asks, scheme="https").start()
    eventually(lambda: listens(sandbox.port), what="the sandbox behind TLS")
    yield sandbox
    sandbox.stop()


def knock(sandbox: MeshSandbox, **more: object) -> None:
    mailbox = MeshMailbox(sandbox.access(OURS, **more))  # type: ignore[arg-type]
    try:
        mailbox.check()
    finally:
        mailbox.close()


def test_with_the_certificate_and_the_right_ca_mesh_lets_us_in(behind_tls: MeshSandbox, own: Papers) -> None:
    knock(behind_tls, ca=own.ca, certificate=own.certificate, private_key=own.private_key)


def test_without_our_certificate_nothing_is_said(behind_tls: MeshSandbox, own: Papers) -> None:
    with pytest.raises(MeshFailed, match=r"mesh-(tls|unreachable)"):
        knock(behind_tls, ca=own.ca)


def test_another_server_learns_nothing(behind_tls: MeshSandbox, own: Papers, tmp_path: Path) -> None:
    others = papers(tmp_path / "others")
    with pytest.raises(MeshFailed, match="mesh-tls"):
        knock(behind_tls, ca=others.ca, certificate=own.certificate, private_key=own.private_key)
    with pytest.raises(MeshFailed, match="mesh-tls"):
        knock(behind_tls, certificate=own.certificate, private_key=own.private_key)
