# SPDX-License-Identifier: MIT
"""A time-stamping authority for tests: OpenSSL's own, behind a small HTTP server, with a root and a certificate of its own."""

from __future__ import annotations

import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class TimeAuthority:
    """Answers at ``url`` while the ``with`` block runs; ``mood`` makes it misbehave, ``asked`` holds what came."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.mood, self.asked = folder, "", list[tuple[str, bytes]]()
        self.root = _certificates(folder)
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                authority.asked.append((self.headers["Content-Type"], body))
                status, answer = authority.answer(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/tsa"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, query: bytes) -> tuple[int, bytes]:
        """Return status and body for a query, as ``mood`` has it."""
        if self.mood == "garbage":
            return 200, b"<p>Sign in to the guest network</p>"
        if self.mood == "failing":
            return 500, self.stamp(query)
        return 200, self.stamp(self.asked[0][1] if self.mood == "repeating" else b"no query" if self.mood == "refusing" else query)

    def stamp(self, query: bytes) -> bytes:
        """Return OpenSSL's own reply."""
        asked, given = self.folder / "query.tsq", self.folder / "reply.tsr"
        asked.write_bytes(query)
        configuration = str(self.folder / "tsa.cnf")
        command = ["openssl", "ts", "-reply", "-config", configuration, "-queryfile", str(asked), "-out", str(given)]
        subprocess.run(command, check=True, capture_output=True)
        return given.read_bytes()


def verified_by_openssl(text: bytes, reply: bytes, root: Path, folder: Path) -> bool:
    """Tell whether ``openssl ts -verify``, a program that is not ours, takes the reply for the text."""
    (folder / "text").write_bytes(text)
    (folder / "reply").write_bytes(reply)
    command = ["openssl", "ts", "-verify", "-data", str(folder / "text"), "-in", str(folder / "reply"), "-CAfile", str(root)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _certificates(folder: Path) -> Path:
    root_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    ca = _builder("Time root", "Time root", root_key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    of_ca = _usage(digital_signature=False, key_cert_sign=True)
    root = ca.add_extension(of_ca, critical=True).sign(root_key, SHA256())
    tsa = _builder("Time authority", "Time root", key).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    tsa = tsa.add_extension(_usage(digital_signature=True, key_cert_sign=False), critical=True)
    leaf = tsa.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True).sign(root_key, SHA256())
    (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "tsa.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    return folder / "root.pem"


def _builder(name: str, issuer: str, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)  # noqa: TID251 - certificates are judged by the clock of the machine
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _usage(*, digital_signature: bool, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
