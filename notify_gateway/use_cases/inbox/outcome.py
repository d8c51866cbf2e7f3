# SPDX-License-Identifier: MIT
"""What came of a notification. The trust is told a code and a day."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done


def record_outcome(
    gateway: Gateway,
    *,
    by: Person,
    reference: str,
    version: int,
    outcome: str,
    on: date,
    review_on: date | None = None,
    form: UUID | None = None,
) -> Done:
    """The outcome (``domain.feedback.AuthorityOutcome``) is recorded, the trust is told code and day, and the case is finished.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for an unknown code or a day that cannot be, and ``Conflict``.
    """
    raise NotImplementedError


def reopen(gateway: Gateway, *, by: Person, reference: str, version: int, reason: str, form: UUID | None = None) -> Done:
    """The case is to be worked again (``ReopenReason``); the outcome stays in its history, and with the trust until there is another.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` without a reason, and ``Conflict``.
    """
    raise NotImplementedError
