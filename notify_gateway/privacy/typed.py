# SPDX-License-Identifier: MIT
"""What somebody had typed when their session ended: sealed under what their browser holds, so that the service cannot read it.

The key follows from the cookie, of which the service has the SHA-256 alone (HKDF, RFC 5869; AES-256-GCM); the person is bound to it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was sent: where to, and its fields in order. Shows nothing of itself."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return "Typed(<withheld>)"


class TypedUnreadable(Exception):
    """It was sealed under another cookie, for another person, or is damaged."""


def seal(path: str, fields: Sequence[tuple[str, str]], *, cookie: str, person: UUID) -> bytes:
    """Return the form sealed; only who holds the cookie, and only for that person, can open it."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_key(cookie)).encrypt(nonce, json.dumps([path, list(fields)]).encode(), person.bytes)


def unseal(sealed: bytes, *, cookie: str, person: UUID) -> Typed:
    """Return the form; raises ``TypedUnreadable``."""
    try:
        path, fields = json.loads(AESGCM(_key(cookie)).decrypt(sealed[:_NONCE], sealed[_NONCE:], person.bytes))
    except (InvalidTag, ValueError) as error:
        raise TypedUnreadable from error
    return Typed(path, tuple((name, value) for name, value in fields))


def _key(cookie: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, b"notify_gateway kept form").derive(cookie.encode("utf-8", "surrogateescape"))
