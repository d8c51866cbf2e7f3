# SPDX-License-Identifier: MIT
"""What officers see: the inbox's lists, and one notification with all that the trust told and the authority did. Without identity."""

from __future__ import annotations

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox import listing, showing
from notify_gateway.use_cases.inbox.details import (
    AskedQuestion,
    Assignment,
    Case,
    Contact,
    ContactWarning,
    Happening,
    ParentFacts,
    RecordedOutcome,
    Related,
    SentBack,
)
from notify_gateway.use_cases.inbox.lists import (
    MOST_COUNTED,
    PER_PAGE,
    Count,
    Filters,
    InboxPage,
    Need,
    Notice,
    Officer,
    ReplyBy,
    Row,
    Trust,
    TrustHeard,
)

__all__ = [
    "MOST_COUNTED",
    "PER_PAGE",
    "AskedQuestion",
    "Assignment",
    "Case",
    "Contact",
    "ContactWarning",
    "Count",
    "Filters",
    "Happening",
    "InboxPage",
    "Need",
    "Notice",
    "Officer",
    "ParentFacts",
    "RecordedOutcome",
    "Related",
    "ReplyBy",
    "Row",
    "SentBack",
    "Trust",
    "TrustHeard",
    "list_cases",
    "show_case",
]


def list_cases(gateway: Gateway, by: Person, filters: Filters, page: int = 1) -> InboxPage:
    """Return a page of the inbox of the person's authority; raises ``NotAllowed``."""
    return listing.list_cases(gateway, by, filters, page)


def show_case(gateway: Gateway, by: Person, reference: str) -> Case:
    """Return the notification as the person's authority knows it; raises ``NotAllowed``, and ``NotFound`` where it has none."""
    return showing.show_case(gateway, by, reference)
