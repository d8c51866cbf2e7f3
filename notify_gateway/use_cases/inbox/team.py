# SPDX-License-Identifier: MIT
"""Who works for the authority, what each has open, who is away and who stands in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from notify_gateway.domain.staff import Person, Role
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.read import Count, Officer


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of the team; ``away_now`` with a deputy means that new cases go to the deputy."""

    officer: Officer
    roles: frozenset[Role]
    open: Count
    away_from: date | None
    away_to: date | None
    away_now: bool
    deputy: Officer | None


def list_team(gateway: Gateway, by: Person) -> tuple[Member, ...]:
    """Return the team of the person's authority by name. Raises ``NotAllowed``."""
    raise NotImplementedError


def set_leave(
    gateway: Gateway,
    *,
    by: Person,
    member: UUID,
    away_from: date | None,
    away_to: date | None,
    deputy: UUID | None,
) -> Member:
    """The member is away from the one day to the other (None: not at all), and the deputy stands in. One's own, or a manager's to set.

    Raises ``NotAllowed``, ``NotFound`` for a person of another team, and ``Refused`` for days in the wrong order or a deputy who is the
    member.
    """
    raise NotImplementedError
