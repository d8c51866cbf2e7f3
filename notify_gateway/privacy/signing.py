# SPDX-License-Identifier: MIT
"""Ed25519 keys (RFC 8032) that sign for the service: sealed headers and promises, or the log."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy.encoding import Json, from_base64, to_base64
from notify_gateway.privacy.key_fields import check_kid, check_length, derived_kid, text


class SigningPurpose(StrEnum):
    """What a signing key is for: the gateway's, the log's, or that of a witness of the log; one key never serves two purposes."""

    GATEWAY = "gateway"
    LOG = "log"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half of a signing key."""

    FORMAT: ClassVar[str] = "notify-gateway/verifying-key"
    SECRET: ClassVar[bool] = False

    kid: str
    purpose: SigningPurpose
    raw: bytes

    def __post_init__(self) -> None:
        """Raises ``ValueError`` if key id or length is not right."""
        check_kid(self.kid)
        check_length(self.raw, 32)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``ValueError`` unless ``signature`` is this key's over ``data``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except InvalidSignature:
            raise ValueError("the signature is not this key's") from None

    def document(self) -> dict[str, Json]:
        """Return the fields of the key file."""
        return {"kid": self.kid, "purpose": self.purpose, "ed25519": to_base64(self.raw)}

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Return the key; raises ``ValueError`` or ``KeyError`` if a field is wrong or missing."""
        return cls(text(document, "kid"), SigningPurpose(text(document, "purpose")), from_base64(document["ed25519"]))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key (RFC 8032) that signs for the service: sealed headers and promises, or the log."""

    FORMAT: ClassVar[str] = "notify-gateway/signing-key"
    SECRET: ClassVar[bool] = True

    kid: str
    purpose: SigningPurpose
    seed: PrivateBytes
    private: Ed25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ``ValueError`` if key id or length is not right."""
        check_kid(self.kid)
        check_length(self.seed.reveal(), 32)
        object.__setattr__(self, "private", Ed25519PrivateKey.from_private_bytes(self.seed.reveal()))

    @classmethod
    def generate(cls, purpose: SigningPurpose, kid: str | None = None) -> Self:
        """Return a fresh key; without ``kid`` it is named by its purpose and the digest of its public half."""
        seed = secrets.token_bytes(32)
        raw = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        return cls(kid or derived_kid(purpose, raw), purpose, PrivateBytes(seed))

    def public(self) -> VerifyingKey:
        """Return the public half."""
        return VerifyingKey(self.kid, self.purpose, self.private.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of signature over ``data``; callers put the meaning of the signature in front of what they sign."""
        return self.private.sign(data)

    def document(self) -> dict[str, Json]:
        """Return the fields of the key file."""
        return {"kid": self.kid, "purpose": self.purpose, "ed25519": to_base64(self.seed.reveal())}

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Return the key; raises ``ValueError`` or ``KeyError`` if a field is wrong or missing."""
        seed = PrivateBytes(from_base64(document["ed25519"]))
        return cls(text(document, "kid"), SigningPurpose(text(document, "purpose")), seed)
