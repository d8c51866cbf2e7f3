# SPDX-License-Identifier: MIT
"""The key with which the service signs in to SFTP servers, in OpenSSH's own forms, so that its tools and every server know it."""

from __future__ import annotations

import os
import stat
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_ssh_private_key

from notify_gateway.privacy.keys import KeyFileError

COMMENT = "notify-gateway"


def make_ssh_key(path: Path) -> bool:
    """There is an Ed25519 key in the file, readable by its owner alone; one that was there stays. Tells whether it was made now."""
    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return True


def public_line(path: Path) -> str:
    """Return the public half of a private key file as the line that a server's ``authorized_keys`` takes.

    Raises ``KeyFileError`` if it cannot be read, others may read it, or it is no OpenSSH key without a passphrase.
    """
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror}); run notify-gateway keys sftp") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(f"{path}: other users of this machine may read this private key; run: chmod 0400 {path}")
    try:
        public = load_ssh_private_key(content, password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"{path}: not an OpenSSH private key without a passphrase; move it away and run notify-gateway keys sftp"
        ) from None
    return f"{public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode('ascii')} {COMMENT}"


def line_fingerprint(line: str) -> str:
    """Return the fingerprint of a public key line as OpenSSH shows it; raises ``ValueError`` or ``IndexError`` for another line."""
    return f"SHA256:{b64encode(sha256(b64decode(line.split()[1], validate=True)).digest()).decode('ascii').rstrip('=')}"
