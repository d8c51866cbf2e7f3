# SPDX-License-Identifier: MIT
"""The life of a delivery, in one table for API, pages, exports and documentation (FHIR R4 Task status; NEMS feedback).

Fetching is not receiving, and receiving is a machine's word while acknowledging is a person's. Being late is reckoned, never stored.
Accepted = received + waiting + cancelled + superseded + sent back + given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict


class State(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    OFFERED = "offered"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    OUTCOME = "outcome"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    SENT_BACK = "sent-back"
    GIVEN_UP = "given-up"


class Count(StrEnum):
    """Under which heading a state counts, so that the books balance."""

    WAITING = "waiting"
    RECEIVED = "received"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    SENT_BACK = "sent-back"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a state is called, what it means, what the trust's Task says of it, how it counts and what may follow."""

    label: str
    meaning: str
    task_status: str
    counts_as: Count
    next: frozenset[State]


def _facts(label: str, meaning: str, task_status: str, counts_as: Count, *following: State) -> Facts:
    return Facts(label, meaning, task_status, counts_as, frozenset(following))


TABLE: Final[Mapping[State, Facts]] = MappingProxyType(
    {
        State.QUEUED: _facts(
            "Queued",
            "Accepted and kept; not yet handed to the authority.",
            "requested",
            Count.WAITING,
            State.OFFERED,
            State.RECEIVED,
            State.CANCELLED,
            State.SUPERSEDED,
            State.GIVEN_UP,
        ),
        State.OFFERED: _facts(
            "Offered",
            "Handed to the authority's system, which has not confirmed it yet.",
            "requested",
            Count.WAITING,
            State.OFFERED,
            State.QUEUED,
            State.RECEIVED,
            State.CANCELLED,
            State.SUPERSEDED,
            State.GIVEN_UP,
        ),
        State.RECEIVED: _facts(
            "Received",
            "The authority's system confirmed the digest of what it was given.",
            "received",
            Count.RECEIVED,
            State.ACKNOWLEDGED,
            State.SENT_BACK,
        ),
        State.ACKNOWLEDGED: _facts(
            "Acknowledged",
            "A person at the authority took it on.",
            "accepted",
            Count.RECEIVED,
            State.CONTACTED,
            State.OUTCOME,
            State.SENT_BACK,
        ),
        State.CONTACTED: _facts(
            "Family contacted",
            "The authority was in touch with the family.",
            "in-progress",
            Count.RECEIVED,
            State.OUTCOME,
            State.SENT_BACK,
        ),
        State.OUTCOME: _facts(
            "Outcome recorded",
            "The authority recorded what came of it; a later outcome takes its place, and both stay in the history.",
            "completed",
            Count.RECEIVED,
            State.OUTCOME,
        ),
        State.CANCELLED: _facts("Cancelled", "Withdrawn by the sender before it was received.", "cancelled", Count.CANCELLED),
        State.SUPERSEDED: _facts("Superseded", "Replaced by an update before it was received.", "cancelled", Count.SUPERSEDED),
        State.SENT_BACK: _facts(
            "Sent back",
            "The authority says that it is not the responsible one; it stays open until the sender sends again.",
            "rejected",
            Count.SENT_BACK,
        ),
        State.GIVEN_UP: _facts("Given up", "Could not be handed over; people gave it up and the sender is told.", "failed", Count.GIVEN_UP),
    }
)

WAITING: Final = frozenset(state for state, facts in TABLE.items() if facts.counts_as is Count.WAITING)
"""The states in which a delivery may still be claimed, superseded or cancelled."""


def may_follow(present: State, wanted: State) -> bool:
    """Tell whether a delivery may pass from ``present`` to ``wanted``."""
    return wanted in TABLE[present].next


def check_transition(present: State, wanted: State) -> None:
    """Return if a delivery may pass from ``present`` to ``wanted``; raises ``Conflict`` if not."""
    if not may_follow(present, wanted):
        raise Conflict.because(Code.DELIVERY_STATE)
