# SPDX-License-Identifier: MIT
"""Events of notifications: what trusts send, and what becomes of it at the door."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType(
        "notification:accepted",
        Klass.CHANGE,
        "{actor} sent notification {subject} ({event}) of {sender} for authority {authority}; it was accepted.",
        ("authority", "event", "sender"),
        ("digest", "edition", "flags", "legal_basis", "message", "pseudonym", "reason", "reference", "view_digest"),
    ),
    EventType(
        "notification:refused",
        Klass.CHANGE,
        "{actor} sent message {subject}; it was refused for {codes} and nothing of it was kept.",
        ("codes",),
        ("authority", "digest", "event", "pseudonym", "sender"),
    ),
    EventType(
        "notification:split",
        Klass.CHANGE,
        "Notification {subject} was split by {actor} into view {view_digest} and envelopes sealed for authority {authority}.",
        ("authority", "view_digest"),
        ("card_digest", "keys", "original_digest", "pseudonym"),
    ),
    EventType(
        "notification:amended",
        Klass.CHANGE,
        "{actor} replaced what it had told authority {authority} in notification {subject}.",
        ("authority",),
        ("sender",),
    ),
    EventType(
        "notification:transferred",
        Klass.CHANGE,
        "{actor} moved notification {subject} from authority {previous} to authority {authority}.",
        ("authority", "previous"),
    ),
    EventType(
        "notification:withdrawn",
        Klass.CHANGE,
        "{actor} withdrew notification {subject} from authority {authority}: {reason}.",
        ("authority", "reason"),
    ),
    EventType(
        "erasure:attempted",
        Klass.CHANGE,
        "{actor} began to erase who notification {subject} is about: {reason}.",
        ("reason",),
        ("case", "count", "erasure"),
        settled_by=("notification:erased",),
    ),
    EventType(
        "notification:erased",
        Klass.CHANGE,
        "{actor} erased who notification {subject} is about: {reason}. Nobody can open it any more.",
        ("reason",),
        ("case", "count", "erasure"),
    ),
    EventType(
        "hold:set",
        Klass.CHANGE,
        "{actor} put notification {subject} under a legal hold, {reason}: it is not erased.",
        ("reason",),
        ("case", "hold"),
    ),
    EventType("hold:ending", Klass.CHANGE, "{actor} proposed to end a legal hold on notification {subject}.", (), ("case", "hold")),
    EventType(
        "hold:released",
        Klass.CHANGE,
        "{actor} ended a legal hold on notification {subject}, as {proposed_by} had proposed.",
        ("proposed_by",),
        ("case", "hold"),
    ),
    EventType(
        "erasures:replayed",
        Klass.CHANGE,
        "{actor} erased again what a restored backup of {subject} had brought back: {count} messages.",
        ("count",),
    ),
    EventType("task:viewed", Klass.STATUS, "{actor} looked at the progress of notification {subject}.", (), ("organisation",)),
)
