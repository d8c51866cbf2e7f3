# SPDX-License-Identifier: MIT
"""The keys of local authorities that envelopes are sealed to (HPKE, RFC 9180)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, Self, TypeAlias

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.hpke import Suite as HpkeSuite

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy.encoding import Json, from_base64, to_base64
from notify_gateway.privacy.key_fields import check_authority, check_kid, check_length, derived_kid, text

PublicHandle: TypeAlias = "X25519PublicKey | MLKEM768X25519PublicKey"
PrivateHandle: TypeAlias = "X25519PrivateKey | MLKEM768X25519PrivateKey"

_MLKEM_PUBLIC_BYTES = 1184
_X25519_BYTES = 32


class Suite(StrEnum):
    """How content keys are wrapped; both with HKDF-SHA256 and AES-256-GCM.

    The hybrid (draft-ietf-hpke-pq) also withstands a recording opened by a later quantum computer; it is opt-in until it is an RFC.
    """

    X25519 = "X25519"
    MLKEM768_X25519 = "MLKEM768_X25519"

    @property
    def hpke(self) -> HpkeSuite:
        """The HPKE suite of RFC 9180 in base mode: it does not authenticate the sender."""
        return _HPKE[self]


_HPKE = {
    Suite.X25519: HpkeSuite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    Suite.MLKEM768_X25519: HpkeSuite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}


class RecipientPurpose(StrEnum):
    """What an authority's key is for: daily work, the offline copy that survives its loss, or custody by the service's opener."""

    WORKING = "working"
    RECOVERY = "recovery"
    MANAGED = "managed"


@dataclass(frozen=True, slots=True)
class RecipientPublicKey:
    """A key of one authority to seal to. ``raw``: X25519 in 32 bytes; the hybrid has ML-KEM-768's 1184 bytes before it."""

    FORMAT: ClassVar[str] = "notify-gateway/recipient-public-key"
    SECRET: ClassVar[bool] = False

    kid: str
    authority: str
    suite: Suite
    raw: bytes
    purpose: RecipientPurpose

    def __post_init__(self) -> None:
        """Raises ``ValueError`` if key id, authority or length is not right."""
        check_kid(self.kid)
        check_authority(self.authority)
        check_length(self.raw, _X25519_BYTES + (_MLKEM_PUBLIC_BYTES if self.suite is Suite.MLKEM768_X25519 else 0))

    def handle(self) -> PublicHandle:
        """Return the key as the cryptographic library takes it, tried once; raises ``ValueError`` if nothing can be sealed to it."""
        return _parse_public(self.suite, self.raw)

    def document(self) -> dict[str, Json]:
        """Return the fields of the key file."""
        return {
            "kid": self.kid,
            "authority": self.authority,
            "suite": self.suite,
            "purpose": self.purpose,
            "public": to_base64(self.raw),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Return the key; raises ``ValueError`` or ``KeyError`` if a field is wrong or missing."""
        return cls(
            kid=text(document, "kid"),
            authority=text(document, "authority"),
            suite=Suite(text(document, "suite")),
            raw=from_base64(document["public"]),
            purpose=RecipientPurpose(text(document, "purpose")),
        )


@dataclass(frozen=True, slots=True)
class RecipientPrivateKey:
    """The private half. The hybrid is kept as its two parts, since the library does not serialise the pair."""

    FORMAT: ClassVar[str] = "notify-gateway/recipient-key"
    SECRET: ClassVar[bool] = True

    kid: str
    authority: str
    suite: Suite
    purpose: RecipientPurpose
    x25519: PrivateBytes
    mlkem_seed: PrivateBytes | None = None

    def __post_init__(self) -> None:
        """Raises ``ValueError`` if key id, authority, a length or the set of parts is not right."""
        check_kid(self.kid)
        check_authority(self.authority)
        check_length(self.x25519.reveal(), _X25519_BYTES)
        if (self.mlkem_seed is not None) != (self.suite is Suite.MLKEM768_X25519):
            raise ValueError("the parts of the key do not fit its suite")
        if self.mlkem_seed is not None:
            check_length(self.mlkem_seed.reveal(), 64)

    @classmethod
    def generate(cls, authority: str, purpose: RecipientPurpose, suite: Suite = Suite.X25519, kid: str | None = None) -> Self:
        """Return a fresh key of ``authority``; without ``kid`` it is named by its purpose and the digest of its public half."""
        seed = PrivateBytes(secrets.token_bytes(64)) if suite is Suite.MLKEM768_X25519 else None
        x25519 = PrivateBytes(secrets.token_bytes(_X25519_BYTES))
        return cls(kid or derived_kid(purpose, _public_raw(x25519, seed)), authority, suite, purpose, x25519, seed)

    def public(self) -> RecipientPublicKey:
        """Return the public half."""
        return RecipientPublicKey(self.kid, self.authority, self.suite, _public_raw(self.x25519, self.mlkem_seed), self.purpose)

    def handle(self) -> PrivateHandle:
        """Return the key as the cryptographic library takes it."""
        x25519 = X25519PrivateKey.from_private_bytes(self.x25519.reveal())
        if self.mlkem_seed is None:
            return x25519
        return MLKEM768X25519PrivateKey(MLKEM768PrivateKey.from_seed_bytes(self.mlkem_seed.reveal()), x25519)

    def classic(self) -> Self:
        """Return the X25519 half as a key of its own; a key that is nothing else is its own half."""
        return type(self)(self.kid, self.authority, Suite.X25519, self.purpose, self.x25519)

    def document(self) -> dict[str, Json]:
        """Return the fields of the key file."""
        fields: dict[str, Json] = {
            "kid": self.kid,
            "authority": self.authority,
            "suite": self.suite,
            "purpose": self.purpose,
            "x25519": to_base64(self.x25519.reveal()),
        }
        return fields if self.mlkem_seed is None else fields | {"mlkem_seed": to_base64(self.mlkem_seed.reveal())}

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Return the key; raises ``ValueError`` or ``KeyError`` if a field is wrong or missing."""
        return cls(
            kid=text(document, "kid"),
            authority=text(document, "authority"),
            suite=Suite(text(document, "suite")),
            purpose=RecipientPurpose(text(document, "purpose")),
            x25519=PrivateBytes(from_base64(document["x25519"])),
            mlkem_seed=PrivateBytes(from_base64(document["mlkem_seed"])) if "mlkem_seed" in document else None,
        )


@lru_cache(maxsize=2048)
def _parse_public(suite: Suite, raw: bytes) -> PublicHandle:
    x25519 = X25519PublicKey.from_public_bytes(raw[-_X25519_BYTES:])
    handle: PublicHandle = x25519
    if suite is Suite.MLKEM768_X25519:
        handle = MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]), x25519)
    suite.hpke.encrypt(b"", handle)  # a point of low order parses, but nothing can be sealed to it
    return handle


def _public_raw(x25519: PrivateBytes, mlkem_seed: PrivateBytes | None) -> bytes:
    raw = X25519PrivateKey.from_private_bytes(x25519.reveal()).public_key().public_bytes_raw()
    if mlkem_seed is None:
        return raw
    return MLKEM768PrivateKey.from_seed_bytes(mlkem_seed.reveal()).public_key().public_bytes_raw() + raw
