# SPDX-License-Identifier: MIT
"""Whose a case is: taken by oneself, given by a manager, undone within ten minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done

UNDO_WITHIN = timedelta(minutes=10)
MOST_AT_ONCE = 100


def assign(
    gateway: Gateway,
    *,
    by: Person,
    reference: str,
    version: int,
    officer: UUID | None,
    reason: str | None = None,
    form: UUID | None = None,
) -> Done:
    """The case is ``officer``'s, or nobody's; while they are away it is their deputy's.

    Anybody may take a case that nobody has, or give up their own; the rest is a manager's, and to take it from somebody needs a reason
    (``TakeReason``). Raises ``NotAllowed``, ``NotFound`` (case, or no such colleague), ``Refused`` without a reason, and ``Conflict``.
    """
    raise NotImplementedError


def assign_all(gateway: Gateway, *, by: Person, cases: Mapping[str, int], officer: UUID, reason: str | None = None) -> tuple[Done, ...]:
    """All of the cases, by reference and version, are ``officer``'s, or none is. For managers. Raises as ``assign``."""
    raise NotImplementedError


def undo(gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None) -> Done:
    """The case is again whose it was before the last assignment, by the one who made that, within ten minutes.

    Raises ``NotAllowed``, ``NotFound``, and ``Conflict`` when it is too late (``UNDO_TOO_LATE``) or the case was changed meanwhile.
    """
    raise NotImplementedError
