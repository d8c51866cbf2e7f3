# SPDX-License-Identifier: MIT
"""Notices on top of a page, dismissed by each person for themselves."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway


def dismiss(gateway: Gateway, *, by: Person, notice: UUID) -> None:
    """The person does not see the notice again; others do. Said again, it changes nothing. Raises ``NotAllowed``, ``NotFound``."""
    raise NotImplementedError
