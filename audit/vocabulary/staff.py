# SPDX-License-Identifier: MIT
"""Events of the people who sign in: sessions, and what members of staff may do. People are ids; their names are in no event."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType(
        "staff_session:opened",
        Klass.CHANGE,
        "{actor} of {organisation} signed in by {provider} and began session {subject}.",
        ("organisation", "provider"),
        ("roles",),
    ),
    EventType("staff_session:closed", Klass.CHANGE, "{actor} of {organisation} signed out of session {subject}.", ("organisation",)),
    EventType(
        "staff_session:revoked",
        Klass.CHANGE,
        "{actor} ended session {subject} of {person} of {organisation}.",
        ("organisation", "person"),
    ),
    EventType(
        "staff_session:stepped_up",
        Klass.CHANGE,
        "{actor} of {organisation} proved anew, by {provider}, who they are in session {subject}.",
        ("organisation", "provider"),
    ),
    EventType(
        "staff:added",
        Klass.CHANGE,
        "{actor} let {subject} of {organisation} in with the roles {roles}; they sign in by {provider}.",
        ("organisation", "provider", "roles"),
    ),
    EventType(
        "staff:roles_changed",
        Klass.CHANGE,
        "{actor} changed the roles of {subject} of {organisation} from {before} to {after}.",
        ("after", "before", "organisation"),
    ),
    EventType("staff:closed", Klass.CHANGE, "{actor} closed the access of {subject} of {organisation}.", ("organisation",)),
    EventType("staff:reopened", Klass.CHANGE, "{actor} opened the access of {subject} of {organisation} again.", ("organisation",)),
    EventType(
        "staff:away",
        Klass.CHANGE,
        "{actor} noted until when {subject} of {organisation} is away, and who stands in.",
        ("organisation",),
        ("deputy", "until"),
    ),
)
