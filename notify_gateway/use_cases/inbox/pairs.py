# SPDX-License-Identifier: MIT
"""Notifications that may be of one child: found by number, linked by hand, decided by people, undone within thirty days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.read import Row

UNDO_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two notifications, the earlier first; ``how`` is ``number`` or ``hand``."""

    id: UUID
    how: str
    version: int
    one: Row
    other: Row


def list_pairs(gateway: Gateway, by: Person) -> tuple[Pair, ...]:
    """Return the pairs that nobody has decided, the longest waiting first, at most fifty. Raises ``NotAllowed``."""
    raise NotImplementedError


def show_pair(gateway: Gateway, by: Person, pair: UUID) -> Pair:
    """Return the pair, decided or not. Raises ``NotAllowed``, ``NotFound``."""
    raise NotImplementedError


def link(gateway: Gateway, *, by: Person, reference: str, version: int, other: str) -> Pair:
    """The two are about the same child, says the person; both are worked until somebody decides otherwise.

    Raises ``NotAllowed``, ``NotFound`` for either, and ``Conflict``.
    """
    raise NotImplementedError


def decide(gateway: Gateway, *, by: Person, pair: UUID, version: int, decision: str, kept: str | None = None) -> Pair:
    """The pair is so decided (``Decision``). Of a duplicate ``kept`` is worked on, with the earlier of the two clocks, and the other rests.

    What was not the same is never offered as a pair again. Raises ``NotAllowed``, ``NotFound``, ``Refused``, and ``Conflict``.
    """
    raise NotImplementedError


def undo(gateway: Gateway, *, by: Person, pair: UUID, version: int) -> Pair:
    """The pair is undecided again; one linked by hand is unlinked. Raises ``NotFound`` and ``Conflict`` (``UNDO_TOO_LATE``)."""
    raise NotImplementedError
