# SPDX-License-Identifier: MIT
"""Opening a delivery on the authority's own machine: every check, then the card and the original."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Card
from notify_gateway.privacy.cards import read_card
from notify_gateway.privacy.encoding import canonical_json, from_base64, sha256_hex
from notify_gateway.privacy.papers import card_pdf, card_text, cards_csv
from notify_gateway.privacy.recipients import RecipientPrivateKey
from notify_gateway.privacy.sealing import CannotOpen, Kind, Why, open_envelope, verify_header
from notify_gateway.privacy.signing import VerifyingKey

__all__ = ["CannotOpen", "Opened", "Why", "card_pdf", "card_text", "cards_csv", "open_delivery"]

FORMAT = "notify-gateway/delivery"
VERSION = 1
EVENTS = ("new", "update", "delete")


@dataclass(frozen=True, slots=True)
class Opened:
    """A delivery whose every part was proved to belong together. ``delivery_id`` and ``event`` are the courier's word, not signed."""

    delivery_id: UUID
    notification_id: UUID
    reference: str
    authority: str
    event: str
    view: Mapping[str, Any]
    card: Card
    original: PrivateBytes | None


def open_delivery(document: Mapping[str, Any], private_key: RecipientPrivateKey, gateway_public: VerifyingKey) -> Opened:
    """Return the delivery opened; raises ``CannotOpen``.

    The gateway's signature stands over each header, the header over the digests of view and content, and the card over the digest of
    the original: one changed byte, or a part of another notification or authority, and nothing is returned.
    """
    try:
        return _open(document, private_key, gateway_public)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise CannotOpen(Why.NOT_A_DELIVERY) from None


def _open(document: Mapping[str, Any], private_key: RecipientPrivateKey, gateway_public: VerifyingKey) -> Opened:
    if document["format"] != FORMAT or document["version"] != VERSION or document["event"] not in EVENTS:
        raise CannotOpen(Why.NOT_A_DELIVERY)
    if document["gateway_key"] != gateway_public.kid:
        raise CannotOpen(Why.UNKNOWN_GATEWAY_KEY)
    view = document["view"]
    if sha256_hex(canonical_json(view)) != document["view_digest"]:
        raise CannotOpen(Why.CHANGED_VIEW)
    if (view["reference"], view["authority"]) != (document["reference"], document["authority"]):
        raise CannotOpen(Why.NOT_THIS_DELIVERY)
    sealed = read_card(_open_part(document, "card", private_key, gateway_public))
    original = _open_part(document, "original", private_key, gateway_public) if "original" in document["envelopes"] else None
    if original is not None and sha256_hex(original) != sealed.original_digest:
        raise CannotOpen(Why.CHANGED_ORIGINAL)
    return Opened(
        delivery_id=UUID(document["delivery_id"]),
        notification_id=UUID(document["notification_id"]),
        reference=document["reference"],
        authority=document["authority"],
        event=document["event"],
        view=view,
        card=sealed.card,
        original=None if original is None else PrivateBytes(original),
    )


def _open_part(document: Mapping[str, Any], kind: Kind, private_key: RecipientPrivateKey, gateway_public: VerifyingKey) -> bytes:
    envelope = document["envelopes"][kind]
    header, signature = from_base64(envelope["header"]), from_base64(envelope["signature"])
    told = verify_header(header, signature, gateway_public)
    if (told.kind, told.authority, told.notification_id) != (kind, document["authority"], UUID(document["notification_id"])):
        raise CannotOpen(Why.NOT_THIS_DELIVERY)
    if told.view_digest != document["view_digest"]:
        raise CannotOpen(Why.CHANGED_VIEW)
    return open_envelope(header, signature, from_base64(envelope["sealed"]), private_key=private_key, gateway_public=gateway_public)
