# SPDX-License-Identifier: MIT
"""Sealed envelopes: AES-256-GCM under a fresh key, wrapped by HPKE (RFC 9180) to every live key of one authority, under a signed header.

HPKE's base mode does not authenticate the sender, so whoever opens checks the gateway's signature over the header before anything else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notify_gateway.privacy.encoding import Json, canonical_json, from_base64, parse_canonical, sha256_hex, to_base64
from notify_gateway.privacy.key_fields import check_authority, check_kid
from notify_gateway.privacy.recipients import RecipientPrivateKey, RecipientPublicKey
from notify_gateway.privacy.signing import SigningKey, VerifyingKey

Kind: TypeAlias = Literal["card", "original", "note", "drill"]

FORMAT = "notify-gateway/envelope"
VERSION = 1
BUCKET_BYTES = 1024
SHRED_KEY_BYTES = 32
MAX_HEADER_BYTES = 64 * 1024

_NONCE_BYTES = 12
_LENGTH_BYTES = 4
_SIGNED = b"notify-gateway/envelope-header/v1\x00"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Why(StrEnum):
    """Why an envelope or a delivery cannot be opened."""

    NOT_A_DELIVERY = "not-a-delivery"
    UNKNOWN_GATEWAY_KEY = "unknown-gateway-key"
    BAD_SIGNATURE = "bad-signature"
    BAD_HEADER = "bad-header"
    NOT_THIS_DELIVERY = "not-this-delivery"
    CHANGED_VIEW = "changed-view"
    CHANGED_CONTENT = "changed-content"
    NOT_FOR_THIS_KEY = "not-for-this-key"
    CANNOT_UNWRAP = "cannot-unwrap"
    CHANGED_ORIGINAL = "changed-original"
    ERASED = "erased"


class CannotOpen(Exception):
    """The envelope does not open; ``why`` says which check failed and nothing of what is inside."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why.value)


@dataclass(frozen=True, slots=True)
class SealedEnvelope:
    """What is kept of one envelope: its header, the gateway's signature, and the content under both layers."""

    header: bytes
    signature: bytes
    stored: bytes


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The content key, wrapped to one key of the authority."""

    kid: str
    suite: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What the gateway signs about an envelope; nothing in it is decided at commit."""

    kind: Kind
    authority: str
    notification_id: UUID
    view_digest: str
    inner_digest: str
    keys: tuple[WrappedKey, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical JSON that is signed."""
        return canonical_json(
            {
                "format": FORMAT,
                "version": VERSION,
                "kind": self.kind,
                "authority": self.authority,
                "notification_id": str(self.notification_id),
                "view_digest": self.view_digest,
                "inner_digest": self.inner_digest,
                "keys": [{"kid": key.kid, "suite": key.suite, "wrapped": to_base64(key.wrapped)} for key in self.keys],
            }
        )


def new_shred_key() -> bytes:
    """Return a fresh key for the outer layer of one notification's envelopes; without it, they are erased."""
    return secrets.token_bytes(SHRED_KEY_BYTES)


def seal(
    plaintext: bytes,
    *,
    kind: Kind,
    authority: str,
    notification_id: UUID,
    view_digest: bytes,
    recipients: Sequence[RecipientPublicKey],
    shred_key: bytes,
    signer: SigningKey,
) -> SealedEnvelope:
    """Return ``plaintext`` sealed so that each of ``recipients``, all keys of ``authority``, opens it alone.

    Raises ``ValueError`` where ``seal_inner`` does.
    """
    header, inner = seal_inner(
        plaintext, kind=kind, authority=authority, notification_id=notification_id, view_digest=view_digest, recipients=recipients
    )
    return SealedEnvelope(header, sign_header(header, signer), cover(inner, shred_key, notification_id, kind))


def seal_inner(
    plaintext: bytes, *, kind: Kind, authority: str, notification_id: UUID, view_digest: bytes, recipients: Sequence[RecipientPublicKey]
) -> tuple[bytes, bytes]:
    """Return the header, not yet signed, and the inner ciphertext: what an officer's browser makes of a note, too.

    Raises ``ValueError`` if there is no recipient, one of another authority, one twice, or one that is not a usable key.
    """
    if not recipients:
        raise ValueError("nobody could ever open an envelope without a recipient")
    if any(recipient.authority != authority for recipient in recipients):
        raise ValueError("a recipient key belongs to another authority")
    if len({recipient.kid for recipient in recipients}) != len(recipients):
        raise ValueError("a recipient key is named twice")
    if len(view_digest) != 32:
        raise ValueError("the digest of the view is not a SHA-256")
    bound = _bound(authority, notification_id, kind, view_digest.hex())
    content_key = secrets.token_bytes(32)
    inner = _encrypt(content_key, pad(plaintext), bound)
    header = Header(
        kind=kind,
        authority=authority,
        notification_id=notification_id,
        view_digest=view_digest.hex(),
        inner_digest=sha256_hex(inner),
        keys=tuple(
            WrappedKey(key.kid, key.suite, key.suite.hpke.encrypt(content_key, key.handle(), wrap_info(bound, key.kid)))
            for key in recipients
        ),
    ).to_bytes()
    return header, inner


def sign_header(header: bytes, signer: SigningKey) -> bytes:
    """Return the gateway's signature over a header: from now on who opens the envelope knows that it came through the gateway."""
    return signer.sign(_SIGNED + header)


def cover(inner: bytes, shred_key: bytes, notification_id: UUID, kind: Kind) -> bytes:
    """Return the inner ciphertext under the outer layer, which ends with the shred key."""
    return _encrypt(shred_key, inner, _shred_aad(notification_id, kind))


def strip_outer(stored: bytes, shred_key: bytes, notification_id: UUID, kind: Kind) -> bytes:
    """Return the inner ciphertext, as handed to a receiver; raises ``CannotOpen`` if the key or the place is not its own."""
    return _decrypt(shred_key, stored, _shred_aad(notification_id, kind), Why.ERASED)


def open_envelope(
    header: bytes, signature: bytes, inner: bytes, *, private_key: RecipientPrivateKey, gateway_public: VerifyingKey
) -> bytes:
    """Return the plaintext; raises ``CannotOpen``. Checked in this order: signature, header, digest of ``inner``, recipient, content."""
    parsed = verify_header(header, signature, gateway_public)
    if sha256_hex(inner) != parsed.inner_digest:
        raise CannotOpen(Why.CHANGED_CONTENT)
    key, wrapped = _opener(private_key, parsed)
    bound = _bound(parsed.authority, parsed.notification_id, parsed.kind, parsed.view_digest)
    try:
        content_key = key.suite.hpke.decrypt(wrapped, key.handle(), wrap_info(bound, key.kid))
    except InvalidTag:
        raise CannotOpen(Why.CANNOT_UNWRAP) from None
    return unpad(_decrypt(content_key, inner, bound, Why.CHANGED_CONTENT))


def verify_header(header: bytes, signature: bytes, gateway_public: VerifyingKey) -> Header:
    """Return the header if the gateway signed it; raises ``CannotOpen``. Not a byte is parsed before the signature is verified."""
    try:
        gateway_public.verify(signature, _SIGNED + header)
    except ValueError:
        raise CannotOpen(Why.BAD_SIGNATURE) from None
    return parse_header(header)


def parse_header(header: bytes) -> Header:
    """Return what the bytes say, without any claim that they are true; raises ``CannotOpen`` on bytes that no gateway writes."""
    with suppress(KeyError, ValueError, TypeError):
        if len(header) > MAX_HEADER_BYTES:
            raise CannotOpen(Why.BAD_HEADER)
        fields = parse_canonical(header)
        parsed = Header(
            kind=_kind(fields["kind"]),
            authority=check_authority(_text(fields["authority"])),
            notification_id=UUID(_text(fields["notification_id"])),
            view_digest=_digest(fields["view_digest"]),
            inner_digest=_digest(fields["inner_digest"]),
            keys=tuple(_wrapped_keys(fields["keys"])),
        )
        if parsed.to_bytes() == header:
            return parsed
    raise CannotOpen(Why.BAD_HEADER)


def pad(plaintext: bytes) -> bytes:
    """Return four bytes of length, ``plaintext`` and zeros up to whole buckets of 1 KiB, so that lengths take few values."""
    framed = len(plaintext).to_bytes(_LENGTH_BYTES, "big") + plaintext
    return framed + bytes(-len(framed) % BUCKET_BYTES)


def unpad(padded: bytes) -> bytes:
    """Return what ``pad`` was given; raises ``CannotOpen`` on bytes that it never writes."""
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    plaintext = padded[_LENGTH_BYTES : _LENGTH_BYTES + length]
    if pad(plaintext) != padded:
        raise CannotOpen(Why.CHANGED_CONTENT)
    return plaintext


def wrap_info(bound: bytes, kid: str) -> bytes:
    """Return the HPKE ``info`` of one wrapped key: what the envelope is bound to, and the key id."""
    return bound + b"\x00" + kid.encode("ascii")


def _bound(authority: str, notification_id: UUID, kind: Kind, view_digest: str) -> bytes:
    """Everything an envelope is bound to, for readers in any language: no part may hold the separator."""
    return "\x00".join((f"{FORMAT}/v{VERSION}", authority, str(notification_id), kind, view_digest)).encode("ascii")


def _shred_aad(notification_id: UUID, kind: Kind) -> bytes:
    return f"notify-gateway/shred/v1\x00{notification_id}\x00{kind}".encode("ascii")


def _encrypt(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def _decrypt(key: bytes, sealed: bytes, aad: bytes, why: Why) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError):
        raise CannotOpen(why) from None


def _opener(private_key: RecipientPrivateKey, told: Header) -> tuple[RecipientPrivateKey, bytes]:
    # Browsers cannot wrap to the hybrid: a note is wrapped to its X25519 half.
    for each in (private_key, private_key.classic()) if told.kind == "note" else (private_key,):
        for key in told.keys:
            if (key.kid, key.suite) == (each.kid, each.suite):
                return each, key.wrapped
    raise CannotOpen(Why.NOT_FOR_THIS_KEY)


def _wrapped_keys(value: Json) -> Iterable[WrappedKey]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    for item in value:
        yield WrappedKey(check_kid(_text(item["kid"])), _text(item["suite"]), from_base64(item["wrapped"]))


def _kind(value: Json) -> Kind:
    if value in get_args(Kind):
        return value  # type: ignore[return-value]
    raise ValueError("not a kind of envelope")


def _digest(value: Json) -> str:
    text = _text(value)
    if _DIGEST.fullmatch(text) is None:
        raise ValueError("not a digest")
    return text


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value
