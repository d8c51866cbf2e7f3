# SPDX-License-Identifier: MIT
"""The plaintext of the card envelope: the card, and the digest that ties it to the original message."""

from __future__ import annotations

from dataclasses import dataclass

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Card
from notify_gateway.privacy.encoding import canonical_json, parse_canonical, sha256_hex

FORMAT = "notify-gateway/card"
VERSION = 1


@dataclass(frozen=True, slots=True)
class SealedCard:
    """What comes out of a card envelope."""

    card: Card
    original_digest: str


def card_plaintext(card: Card, original: PrivateBytes) -> bytes:
    """Return the bytes to seal as ``card``; ``original`` is the message exactly as received."""
    return canonical_json(
        {"format": FORMAT, "version": VERSION, "card": dict(card.reveal()), "original_digest": sha256_hex(original.reveal())}
    )


def read_card(plaintext: bytes) -> SealedCard:
    """Return what ``card_plaintext`` was given; raises ``ValueError`` on other bytes."""
    fields = parse_canonical(plaintext)
    card, digest = fields.get("card"), fields.get("original_digest")
    if fields.get("format") != FORMAT or fields.get("version") != VERSION or not isinstance(card, dict) or not isinstance(digest, str):
        raise ValueError("not a card")
    return SealedCard(Card(card), digest)
