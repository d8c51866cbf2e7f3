# SPDX-License-Identifier: MIT
"""The drill of a recovery key: words sealed to it alone, which only somebody who still has the key, and its passphrase, can read back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from notify_gateway.privacy.encoding import Json, canonical_json, from_base64, to_base64, to_crockford
from notify_gateway.privacy.keys import spoken
from notify_gateway.privacy.recipients import RecipientPrivateKey, RecipientPublicKey
from notify_gateway.privacy.sealing import CannotOpen, Why, open_envelope, seal_inner, sign_header, verify_header
from notify_gateway.privacy.signing import SigningKey, VerifyingKey

FORMAT = "notify-gateway/drill"
VERSION = 1
_PLACE = b"notify-gateway/drill/v1\x00"


@dataclass(frozen=True, slots=True)
class NewDrill:
    """A drill just made: the document to be taken to where the key is, and the SHA-256 of the words in it, which are kept nowhere."""

    document: bytes
    answer_hash: bytes


def make_drill(drill_id: UUID, recipient: RecipientPublicKey, signer: SigningKey) -> NewDrill:
    """Return a drill of the key under a fresh secret."""
    letters = to_crockford(secrets.token_bytes(10))
    words = " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))
    header, inner = seal_inner(
        words.encode("ascii"),
        kind="drill",
        authority=recipient.authority,
        notification_id=drill_id,
        view_digest=_digest(drill_id),
        recipients=[recipient],
    )
    fields: dict[str, Json] = {
        "format": FORMAT,
        "version": VERSION,
        "drill_id": str(drill_id),
        "authority": recipient.authority,
        "kid": recipient.kid,
        "gateway_key": signer.kid,
        "header": to_base64(header),
        "signature": to_base64(sign_header(header, signer)),
        "sealed": to_base64(inner),
    }
    return NewDrill(canonical_json(fields) + b"\n", answer_hash(words))


def answer_hash(words: str) -> bytes:
    """Return the SHA-256 of words as they are heard: spacing, case and letters that sound like digits make no difference."""
    return sha256(spoken(words).encode("utf-8", "surrogateescape")).digest()


def open_drill(document: Mapping[str, Any], private_key: RecipientPrivateKey, gateway_public: VerifyingKey) -> str:
    """Return the words; raises ``CannotOpen`` unless the gateway made this drill for this key."""
    try:
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise CannotOpen(Why.NOT_A_DELIVERY)
        if document["gateway_key"] != gateway_public.kid:
            raise CannotOpen(Why.UNKNOWN_GATEWAY_KEY)
        header, signature, sealed = (from_base64(document[name]) for name in ("header", "signature", "sealed"))
        drill_id = UUID(document["drill_id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CannotOpen(Why.NOT_A_DELIVERY) from None
    told = verify_header(header, signature, gateway_public)
    if (told.kind, told.notification_id, told.view_digest) != ("drill", drill_id, _digest(drill_id).hex()):
        raise CannotOpen(Why.NOT_THIS_DELIVERY)
    return open_envelope(header, signature, sealed, private_key=private_key, gateway_public=gateway_public).decode("ascii")


def _digest(drill_id: UUID) -> bytes:
    return sha256(_PLACE + str(drill_id).encode("ascii")).digest()
