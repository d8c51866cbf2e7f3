# SPDX-License-Identifier: MIT
"""What an accepted message leaves behind, and what may become of it at the commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from audit.log import Appended
from notify_gateway.store.amendment import Held


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed envelope as it is stored."""

    kind: Literal["card", "original"]
    header: bytes
    signature: bytes
    stored: bytes


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All that an accepted message leaves behind, decided before the transaction begins."""

    notification_id: UUID
    reference: str
    client_id: UUID
    business_key: bytes
    message_id: UUID
    message_key: bytes
    request_id: UUID
    body_digest: bytes
    event: str
    version_at: datetime
    authority: str
    channel: str
    delivery_id: UUID
    view: bytes
    view_digest: bytes
    age_months_at_opinion: int | None
    compulsory_school_age_on: date | None
    child_key: bytes | None
    """Keyed digest of the NHS number, by which an update is known to be about the same child."""
    thread_values: tuple[tuple[int, str], ...]
    """(key version, value) under every live key version, newest first; empty without an NHS number."""
    proposed_thread: UUID
    envelopes: tuple[Envelope, ...]
    shred_key: bytes | None
    """None for a withdrawal, which seals nothing."""
    leaf: Appended
    """That it was accepted: what the sender is promised."""
    further: tuple[Appended, ...]
    """What else there is to tell of it."""
    at: datetime
    amends: Held | None = None
    """What an update or a withdrawal takes the place of; None for what is new."""
    prints: tuple[bytes | None, bytes | None, bytes | None] = (None, None, None)
    """Keyed digests of name, address and contacts, by which it is told which of them an update changes."""


class Standing(StrEnum):
    """What became of an acceptance at the commit."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    USE_UPDATE = "use-update"
    REQUEST_ID_USED = "request-id-used"
    OLDER = "older"
    WITHDRAWN_BEFORE = "withdrawn-before"
    OVERTAKEN = "overtaken"
    """The notification came or changed while this message was being read; the same message will be judged anew."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The standing of one acceptance; ``notification_id`` is that of the message held, which for a duplicate is the first one's."""

    standing: Standing
    notification_id: UUID
