# SPDX-License-Identifier: MIT
"""Not in our area: back to the trust, with the authority that is thought responsible; open until the trust sends again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An authority that may be named as the responsible one."""

    gss: str
    name: str
    on_service: bool


def suggestions(gateway: Gateway, by: Person) -> tuple[Suggestion, ...]:
    """Return every authority in office today but the person's own, by name. Raises ``NotAllowed``."""
    raise NotImplementedError


def send_back(
    gateway: Gateway,
    *,
    by: Person,
    reference: str,
    version: int,
    reason: str,
    suggested: str | None,
    form: UUID | None = None,
) -> Done:
    """The trust is told that the authority is not the responsible one, why (``SendBackReason``), and which may be.

    The second time that a notification is sent back, by whichever authority, it is disputed: operator and managers of both see it.
    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for an unknown reason or authority, and ``Conflict``: also while it is disputed
    (``CASE_DISPUTED``).
    """
    raise NotImplementedError
