# SPDX-License-Identifier: MIT
"""A later day for the next step, set by a manager with a reason, counted and not hidden."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done


def extend(gateway: Gateway, *, by: Person, reference: str, version: int, on: date, reason: str, form: UUID | None = None) -> Done:
    """The next step is due on that day (``ExtendReason``). For managers.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for a day that is past or over 60 days ahead, and ``Conflict``.
    """
    raise NotImplementedError
