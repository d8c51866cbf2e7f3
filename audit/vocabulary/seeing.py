# SPDX-License-Identifier: MIT
"""Events of officers who see who a child is on a page: each look under a permission that still runs, and its end."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType(
        "reveal:used",
        Klass.DISCLOSE,
        "{actor} of authority {authority} looked at the {kind} of notification {subject} under grant {grant}, which still ran.",
        ("authority", "grant", "kind"),
    ),
    EventType(
        "reveal:ended",
        Klass.CHANGE,
        "{actor} of authority {authority} ended grant {grant} for notification {subject} before its time.",
        ("authority", "grant"),
    ),
)
