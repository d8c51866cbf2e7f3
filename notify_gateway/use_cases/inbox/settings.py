# SPDX-License-Identifier: MIT
"""What an authority decides for its own inbox: days, reveal window, how the trusts reach it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """An authority's own rules. Days are working days; there is no acknowledging by itself, for that is a person's word."""

    acknowledge_days: int = 2
    allocate_days: int = 5
    contact_days: int = 10
    outcome_days: int = 20
    reveal_window: timedelta = timedelta(minutes=30)
    restricted_contact: str = "Contact through the social worker or the trust."
    service_email: str = ""
    service_phone: str = ""
    safeguarding_phone: str = ""
    planning_only: bool = False
    """A notification here does not by itself lead to contact with the family."""
    changed_by: str | None = None
    changed_at: datetime | None = None


def show_settings(gateway: Gateway, by: Person) -> InboxSettings:
    """Return the rules of the person's authority. Raises ``NotAllowed``."""
    raise NotImplementedError


def save_settings(gateway: Gateway, *, by: Person, settings: InboxSettings) -> InboxSettings:
    """The authority's rules are these from now on; open cases get their days anew. For managers.

    Raises ``NotAllowed``, and ``Refused`` for days out of 1 to 120, a window out of 5 to 60 minutes, or words that are too long.
    """
    raise NotImplementedError
