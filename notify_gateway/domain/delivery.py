# SPDX-License-Identifier: MIT
"""Deliveries on their way: what is hinted, what is handed to a channel, and what came of it. Ids, codes and sealed documents only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from notify_gateway.domain.route import Route


class AttemptOutcome(StrEnum):
    """What an attempt came to."""

    OFFERED = "offered"
    """It waits where the authority fetches it."""
    RECEIVED = "received"
    """The receiver named the digest of the exact bytes."""
    RETRY = "retry"
    """Not known to be received: due again later."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Due deliveries of one authority and channel, worth one task. Losing a hint costs nothing: the rows stay due."""

    authority: str
    channel: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remote:
    """A message that a carrier holds for us: its id there (None when several bear our id), to whom it goes, the SHA-256 of its document."""

    message_id: str | None
    mailbox: str
    workflow: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One claimed delivery whose attempt is committed and may now leave the house; ``route`` is empty where the authority has left.

    ``given_back`` counts the messages of it that a carrier took and did not hand over.
    """

    delivery_id: UUID
    authority: str
    channel: str
    attempt: int
    route: Route = field(repr=False)
    document: bytes = field(repr=False)
    given_back: int = 0


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What one attempt came to; ``retry_after`` is in seconds, ``digest`` the SHA-256 (hex) that the receiver named.

    ``remote`` is the message that a carrier holds; with ``retry`` it is one that will not arrive.
    """

    delivery_id: UUID
    attempt: int
    outcome: AttemptOutcome
    code: str
    retry_after: float | None = None
    digest: str | None = None
    remote: Remote | None = None

    @classmethod
    def retry(cls, outgoing: Outgoing, code: str, retry_after: float | None = None) -> AttemptResult:
        """Return the result of an attempt that is to be made again, and why."""
        return cls(outgoing.delivery_id, outgoing.attempt, AttemptOutcome.RETRY, code, retry_after)
