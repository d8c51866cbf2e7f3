# SPDX-License-Identifier: MIT
"""Taking a notification on: it tells the trust that the authority has it, and the family nothing."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done


def acknowledge(
    gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None, officer: UUID | None = None
) -> Done:
    """The trust is told that a person took the notification on, and it is ``officer``'s (their own where none is named).

    Said again, it changes nothing. Raises ``NotAllowed``, ``NotFound``, and ``Conflict`` when somebody changed the case meanwhile
    (``CASE_CHANGED``), or the trust has withdrawn it (``CASE_WITHDRAWN``).
    """
    raise NotImplementedError
