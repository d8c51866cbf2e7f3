# SPDX-License-Identifier: MIT
"""Officers' notes, sealed to the authority's own keys as cards are: in the officer's browser, or here for an authority in managed custody.

What a browser has sealed cannot be looked into. Its header can: a note is taken only if every live key of the authority opens it, so that
no colleague is locked out and the recovery key holds it too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy.encoding import from_base64, sha256_hex
from notify_gateway.privacy.recipients import RecipientPublicKey, Suite
from notify_gateway.privacy.sealing import BUCKET_BYTES, CannotOpen, parse_header, seal_inner

MOST_CHARACTERS = 2000
MOST_BYTES = 4 * MOST_CHARACTERS
_AROUND = 12 + 16
"""Nonce and tag, which stand around the padded text."""
MOST_SEALED = -(-(MOST_BYTES + 4) // BUCKET_BYTES) * BUCKET_BYTES + _AROUND
_PLACE = b"notify-gateway/note/v1\x00"


class NoteUnusable(ValueError):
    """The note is not one that all of the authority could open; the message holds nothing of it."""


@dataclass(frozen=True, slots=True)
class UnsignedNote:
    """A note under its inner layer, with a header that the gateway has yet to sign."""

    header: bytes
    inner: bytes


def note_digest(note_id: UUID) -> bytes:
    """Return what the header of this note has where that of a card has the digest of the view: no note can stand for another."""
    return sha256(_PLACE + str(note_id).encode("ascii")).digest()


def seal_note(
    text: PrivateBytes, *, authority: str, notification_id: UUID, note_id: UUID, recipients: Sequence[RecipientPublicKey]
) -> UnsignedNote:
    """Return the text, UTF-8, sealed to every one of ``recipients``; raises ``NoteUnusable`` when it is empty, too long or no text."""
    content = text.reveal()
    try:
        characters = len(content.decode("utf-8").strip())
    except UnicodeDecodeError:
        raise NoteUnusable("a note is text") from None
    if not 0 < characters <= MOST_CHARACTERS:
        raise NoteUnusable("a note has 1 to 2,000 characters")
    header, inner = seal_inner(
        content,
        kind="note",
        authority=authority,
        notification_id=notification_id,
        view_digest=note_digest(note_id),
        recipients=recipients,
    )
    return UnsignedNote(header, inner)


def read_note(document: Mapping[str, Any], *, authority: str, notification_id: UUID, note_id: UUID, live: Collection[str]) -> UnsignedNote:
    """Return what a browser has sealed, if it is this note of this notification, and each live key and no other opens it.

    Browsers wrap by X25519 alone: to a hybrid key by its X25519 half. Raises ``NoteUnusable``.
    """
    try:
        header, inner = from_base64(document["header"]), from_base64(document["sealed"])
        told = parse_header(header)
    except (KeyError, TypeError, ValueError, CannotOpen):
        raise NoteUnusable("not a sealed note") from None
    if (told.kind, told.authority, told.notification_id) != ("note", authority, notification_id):
        raise NoteUnusable("sealed for another place")
    if told.view_digest != note_digest(note_id).hex() or told.inner_digest != sha256_hex(inner):
        raise NoteUnusable("header and content do not belong together")
    if len(inner) > MOST_SEALED or len(inner) <= _AROUND or (len(inner) - _AROUND) % BUCKET_BYTES:
        raise NoteUnusable("not of a padded size")
    if sorted((key.kid, key.suite) for key in told.keys) != sorted((kid, Suite.X25519) for kid in live):
        raise NoteUnusable("not sealed to every live key of the authority")
    return UnsignedNote(header, inner)
