# SPDX-License-Identifier: MIT
"""People who sign in: who they are, for whom they act, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody does for their organisation; one person may have several."""

    OFFICER = "officer"
    MANAGER = "manager"
    IG_OFFICER = "ig-officer"
    STRATEGIC_LEAD = "strategic-lead"
    TRUST_ENGINEER = "trust-engineer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. ``organisation`` is a GSS or an ODS code: nobody acts for two at once.

    ``name`` is that of a member of staff, for pages of the same organisation; the log knows people as ``actor`` alone.
    """

    id: UUID
    organisation: str
    roles: frozenset[Role]
    name: str

    @property
    def actor(self) -> str:
        """Return whom the log names."""
        return f"staff:{self.id}"

    def __repr__(self) -> str:
        return f"Person(id={self.id}, organisation={self.organisation}, roles={sorted(self.roles)})"
