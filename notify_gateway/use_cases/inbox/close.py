# SPDX-License-Identifier: MIT
"""Closing what the trust has withdrawn."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done


def close_withdrawn(gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None) -> Done:
    """The withdrawn case is finished. Raises ``NotAllowed``, ``NotFound``, and ``Conflict`` where it is not withdrawn."""
    raise NotImplementedError
