# SPDX-License-Identifier: MIT
"""Makes the secret files that ``docker-compose.yml`` reads: random passwords, the service's keys, a self-signed certificate to try it with.

What is there already is never touched. Files are readable by all *inside* a folder that only its owner may enter, because a container
gets the file alone, under another user; private keys are readable by the service's user alone.

Usage: ``.venv/bin/python -m tools.make_secrets [folder]``
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import shutil
import sys
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notify_gateway.domain.clock import SystemClock
from notify_gateway.privacy.ssh_keys import make_ssh_key
from notify_gateway.runtime import GATEWAY_PUBLIC, make_keys
from notify_gateway.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SERVICE_USER, OPENER_USER = 10001, 10002
NAMES = ("localhost", "proxy")
SERVERS = (
    ("postgres", "notify_gateway", "", ("service", "delivery", "opener", "sequencer")),
    ("shred", "shred", "shred_", ("service", "delivery", "opener")),
)
"""Server, its database, how the names of its URLs begin, and the parts of the service that have a login of their own there."""


def make(folder: Path) -> list[str]:
    """Make what is missing and return the names of what was made."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made: list[str] = []

    def write(name: str, text: str) -> None:
        path = folder / name
        if not path.exists():
            path.write_text(text, encoding="ascii")
            path.chmod(0o444)
            made.append(name)

    for server, database, prefix, parts in SERVERS:
        write(f"{server}_password", secrets.token_urlsafe(32))
        password = (folder / f"{server}_password").read_text(encoding="ascii")
        write(f"{prefix}database_url", f"postgresql+psycopg://notify_gateway:{password}@{server}:5432/{database}")
        for part in parts:
            login = f"notify_{part}_1:{secrets.token_urlsafe(32)}"
            write(f"{part}_{prefix}database_url", f"postgresql+psycopg://{login}@{server}:5432/{database}")
    write("redis_auth", f"requirepass {secrets.token_urlsafe(32)}")
    write("broker_url", f"redis://:{(folder / 'redis_auth').read_text(encoding='ascii').split()[1]}@redis:6379/0")
    if not (folder / "tls_key").exists():
        certificate, key = self_signed(NAMES)
        write("tls_certificate", certificate)
        write("tls_key", key)
    made += _keys(folder)
    return made


def self_signed(names: tuple[str, ...], *, days: int = 90) -> tuple[str, str]:
    """Return certificate and private key, in PEM, for these host names and the loopback address; for trying things out only."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = SystemClock().now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [*map(x509.DNSName, names), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"), private.decode("ascii")


def _keys(folder: Path) -> list[str]:
    keys = folder / "keys"
    made = make_keys(Settings(keys_dir=keys))
    if make_ssh_key(keys / "sftp.key"):
        made.append("sftp.key")
    opener, pretend = folder / "opener", folder / "pretend-authority"
    for place in (opener, pretend):
        place.mkdir(exist_ok=True, mode=0o700)
    if not (pretend / GATEWAY_PUBLIC).exists():
        shutil.copyfile(keys / GATEWAY_PUBLIC, pretend / GATEWAY_PUBLIC)
    if os.geteuid() == 0:
        for place, user in ((keys, SERVICE_USER), (opener, OPENER_USER), (pretend, SERVICE_USER)):
            for each in (place, *place.iterdir()):
                os.chown(each, user, SERVICE_USER)
    return [f"keys/{name}" for name in made]


def main() -> int:
    """Make the secrets and say what was made, and what is left to do."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "deploy" / "secrets"
    made = make(folder)
    print(f"Made in {folder}: {', '.join(made)}" if made else f"Nothing was missing in {folder}")
    if os.geteuid() != 0:
        print("The containers run as users of their own, who must own the keys:")
        print(f"  sudo chown -R {SERVICE_USER}:{SERVICE_USER} {folder / 'keys'} {folder / 'pretend-authority'}")
        print(f"  sudo chown -R {OPENER_USER}:{SERVICE_USER} {folder / 'opener'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
