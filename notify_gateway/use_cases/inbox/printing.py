# SPDX-License-Identifier: MIT
"""Sheets of paper about notifications, without identity. That somebody had one made is in the log before it is handed over."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID, uuid4

from audit.events import Event, Value
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.details import Case
from notify_gateway.use_cases.inbox.showing import show_case

MOST_IN_PACK: Final = 50
Medium = Literal["page", "pdf"]


class Kind(StrEnum):
    """What is made of a notification."""

    SHEET = "sheet"
    PARENT_COPY = "parent-copy"
    PANEL_SHEET = "panel-sheet"


def print_one(gateway: Gateway, *, by: Person, reference: str, kind: Kind, medium: Medium) -> Case:
    """Return what stands on the sheet; that it was made is in the log. Raises ``NotAllowed`` and ``NotFound``."""
    return _printed(gateway, by, [reference], kind, medium)[0]


def print_pack(gateway: Gateway, *, by: Person, references: Sequence[str], medium: Medium) -> tuple[Case, ...]:
    """Return what stands on the sheets of a panel's pack, each notification once; that each was made is in the log.

    Raises ``NotAllowed``; ``NotFound`` where the authority has not all of them; ``Refused`` for none, or more than ``MOST_IN_PACK``.
    """
    return _printed(gateway, by, wanted(references), Kind.PANEL_SHEET, medium, pack=uuid4())


def wanted(references: Sequence[str]) -> list[str]:
    """Return the references, each once; raises ``Refused`` for none, or more than ``MOST_IN_PACK``."""
    found = list(dict.fromkeys(references))
    if not 1 <= len(found) <= MOST_IN_PACK:
        raise Refused(Issue(Code.PACK_SIZE))
    return found


def _printed(
    gateway: Gateway, by: Person, references: Sequence[str], kind: Kind, medium: Medium, *, pack: UUID | None = None
) -> tuple[Case, ...]:
    require(by, Act.DOWNLOAD)
    cases = tuple(show_case(gateway, by, reference) for reference in references)
    fields: dict[str, Value] = {"authority": by.organisation, "kind": kind.value, "medium": medium}
    if pack is not None:
        fields["pack"] = str(pack)
    now = gateway.clock.now()
    told = [Event("notification:printed", at=now, actor=by.actor, subject=str(each.notification_id), fields=fields) for each in cases]
    with scoped(gateway.engine, by.organisation) as connection:
        append(connection, audit_tables, told)
    return cases
