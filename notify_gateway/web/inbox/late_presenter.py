# SPDX-License-Identifier: MIT
"""What is late, by the step that waits, and the rules by which it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from notify_gateway.domain.casework import Step
from notify_gateway.use_cases.inbox.read import Filters, InboxPage
from notify_gateway.use_cases.inbox.settings import InboxSettings
from notify_gateway.web.inbox import asked
from notify_gateway.web.inbox.listing_presenters import ListRow, counted, list_row
from notify_gateway.web.wording import plural


@dataclass(frozen=True, slots=True)
class LateGroup:
    """What waits too long for the same thing."""

    title: str
    rows: tuple[ListRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What is late, the worst first, and by which rules."""

    told: str
    groups: tuple[LateGroup, ...]
    more: str
    rules: tuple[str, ...]


LATE_TITLES = {
    Step.ACKNOWLEDGE: "Not acknowledged in time",
    Step.ALLOCATE: "With no officer in time",
    Step.CONTACT: "No contact with the family in time",
    Step.OUTCOME: "No outcome in time",
    Step.CLOSE: "To be closed",
}


def late(found: InboxPage, waiting: InboxPage, rules: tuple[str, ...]) -> Late:
    """Return what is late by step, and the questions that trusts have not answered, whose time stands still."""
    groups = [(title, [row for row in found.rows if row.reply_by and row.reply_by.step is step]) for step, title in LATE_TITLES.items()]
    groups.append(("Question to the trust, not answered yet", list(waiting.rows)))
    more = "" if not found.more else asked.address(Filters(late=True), 2)
    told = f"{counted(found.total)} late." if found.rows else "Nothing is late."
    return Late(
        told=told, groups=tuple(LateGroup(title, tuple(map(list_row, rows))) for title, rows in groups if rows), more=more, rules=rules
    )


def rules(settings: InboxSettings) -> tuple[str, ...]:
    """Return the authority's own rules in words, with who set them."""
    days = (
        ("Acknowledge within", settings.acknowledge_days),
        ("Give it to an officer within", settings.allocate_days),
        ("Contact the family within", settings.contact_days),
        ("Record an outcome within", settings.outcome_days),
    )
    set_by = f"Set by {settings.changed_by}." if settings.changed_by else "These are the service's defaults; a manager can change them."
    return (
        *(f"{words} {plural(count, 'working day')} of its arrival." for words, count in days),
        "Working days leave out weekends and England's bank holidays. A question to the trust stops the time until it answers.",
        set_by,
    )


def minutes(window: timedelta) -> str:
    """Return a window in minutes."""
    return plural(int(window.total_seconds() // 60), "minute")
