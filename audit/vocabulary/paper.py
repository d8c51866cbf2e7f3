# SPDX-License-Identifier: MIT
"""Events of what officers take away from the pages: rows as a file, sheets of paper. What was asked for is told by codes, days and ids."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

_ASKED = ("ages", "need", "officer", "only", "received", "reference", "sender", "status")
TYPES = (
    EventType(
        "download:attempted",
        Klass.DISCLOSE,
        "{actor} began download {download} as {medium}: {count} rows of tab {tab} of authority {subject}'s inbox, without identity.",
        ("count", "download", "medium", "tab"),
        _ASKED,
        settled_by=("download:handed_over", "download:failed", "download:unsettled"),
    ),
    EventType(
        "download:handed_over",
        Klass.DISCLOSE,
        "{actor} was handed download {download} as {medium}: {count} rows of tab {tab} of authority {subject}'s inbox, without identity.",
        ("count", "download", "medium", "tab"),
        _ASKED,
    ),
    EventType(
        "download:failed",
        Klass.CHANGE,
        "Download {download} of the inbox of authority {subject} by {actor} broke off.",
        ("download",),
        ("count", "medium"),
    ),
    EventType(
        "download:unsettled",
        Klass.CHANGE,
        "How download {download} of the inbox of authority {subject} ended is not known; recorded by {actor}.",
        ("download",),
        ("count", "medium"),
    ),
    EventType(
        "notification:printed",
        Klass.DISCLOSE,
        "{actor} of authority {authority} had {kind} made of notification {subject}, without identity, as {medium}.",
        ("authority", "kind", "medium"),
        ("pack",),
    ),
)
