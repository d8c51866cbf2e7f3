# SPDX-License-Identifier: MIT
"""Attempts to reach the family, as the log of contacts shows them."""

from __future__ import annotations

from dataclasses import dataclass

from notify_gateway.use_cases.inbox.read import Contact
from notify_gateway.web.wording import day, instant


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt; one that was corrected is struck through."""

    id: str
    title: str
    told: str
    more: tuple[str, ...]
    note: bool
    replaced: bool
    editable: bool


def tried(contact: Contact) -> Tried:
    """Return an attempt as it is shown."""
    more = (
        "With an interpreter" if contact.interpreter else "",
        f"Next try on {day(contact.next_try_on)}" if contact.next_try_on else "",
        "The trust was told that there was contact" if contact.told_trust else "",
    )
    return Tried(
        id=str(contact.id),
        title=f"{contact.how}, {contact.whom.lower()}: {contact.result.lower()}",
        told=f"{day(contact.on)}, recorded by {contact.by.name}, {instant(contact.at)}",
        more=tuple(filter(None, more)),
        note=contact.note_id is not None,
        replaced=contact.replaced,
        editable=contact.editable,
    )
