# SPDX-License-Identifier: MIT
"""Who may do what, in one table: an act, and the roles that may do it for their own organisation. What has no row nobody may do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed
from notify_gateway.domain.staff import Person, Role


class Act(StrEnum):
    """What a person may want to do on the pages."""

    READ_INBOX = "read-inbox"
    WORK_CASE = "work-case"
    ASSIGN_OTHERS = "assign-others"
    REVEAL_CARD = "reveal-card"
    REVEAL_ORIGINAL = "reveal-original"
    DOWNLOAD = "download"
    MANAGE_TEAM = "manage-team"
    CHANGE_SETTINGS = "change-settings"
    ENROL_DEVICE = "enrol-device"


_BOTH: Final = frozenset({Role.OFFICER, Role.MANAGER})
_MANAGER: Final = frozenset({Role.MANAGER})
TABLE: Final[Mapping[Act, frozenset[Role]]] = MappingProxyType(
    {
        Act.READ_INBOX: _BOTH,
        Act.WORK_CASE: _BOTH,
        Act.ASSIGN_OTHERS: _MANAGER,
        Act.REVEAL_CARD: _BOTH,
        Act.REVEAL_ORIGINAL: _MANAGER,
        Act.DOWNLOAD: _BOTH,
        Act.MANAGE_TEAM: _MANAGER,
        Act.CHANGE_SETTINGS: _MANAGER,
        Act.ENROL_DEVICE: _MANAGER,
    }
)


def may(person: Person, act: Act) -> bool:
    """Tell whether one of the person's roles may do it."""
    return not person.roles.isdisjoint(TABLE[act])


def require(person: Person, act: Act) -> None:
    """Return if the person may do it; raises ``NotAllowed`` if not."""
    if not may(person, act):
        raise NotAllowed(Issue(Code.SCOPE_MISSING))
