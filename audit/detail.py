# SPDX-License-Identifier: MIT
"""Words and values that an entry may not hold itself: the entry holds a commitment, and they lie elsewhere, where they can be erased.

The commitment is SHA-256 over a random salt of 32 bytes and the detail. Once salt and detail are gone nobody can find out what it was, not
even by guessing; the entry and every proof stay as they are.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from hashlib import sha256

from audit.events import Event, EventInvalid, read_leaf

SALT_SIZE = 32
FIELD = "detail"
"""The field of an event that holds the commitment."""


class DetailDiffers(Exception):
    """The detail is not what the entry commits to; the message holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail with its salt; it does not print."""

    salt: bytes
    content: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_SIZE:
            raise ValueError("the salt of a detail has 32 bytes")

    def __repr__(self) -> str:
        return "Detail(<withheld>)"

    @classmethod
    def of(cls, text: str) -> Detail:
        """Return the detail under a fresh salt."""
        return cls(secrets.token_bytes(SALT_SIZE), text.encode())

    @property
    def commitment(self) -> str:
        """What the entry says in its place, in hex."""
        return sha256(self.salt + self.content).hexdigest()


def verify(event: Event, detail: Detail) -> str:
    """Return the words of the detail; raises ``DetailDiffers`` unless it is the very one that the event commits to."""
    committed = event.fields.get(FIELD)
    if not isinstance(committed, str) or not hmac.compare_digest(committed.encode(), detail.commitment.encode()):
        raise DetailDiffers("the entry commits to another detail, or to none")
    return detail.content.decode()


def detail_of(leaf: bytes, given: bytes) -> str:
    """Return the words of the detail that somebody was given as JSON (``salt`` in hex, ``words``); raises ``DetailDiffers``."""
    try:
        document = json.loads(given)
        detail = Detail(bytes.fromhex(document["salt"]), str(document["words"]).encode())
        return verify(read_leaf(leaf), detail)
    except (EventInvalid, ValueError, TypeError, KeyError, RecursionError):
        raise DetailDiffers(
            "the file holds no detail: JSON with salt (hex, 32 bytes) and words, as audit details --json gives it"
        ) from None
