# SPDX-License-Identifier: MIT
"""What every act of the inbox gives back: what the confirmation page says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from notify_gateway.domain.casework import Status, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an act came to. ``repeated``: the same form was sent before, and this is what it came to then."""

    reference: str
    version: int
    at: datetime
    status: Status
    next: Step
    reply_by: date | None
    event_id: UUID | None
    """The act's entry in the log, of which there is a receipt."""
    told_trust: bool
    repeated: bool = False
