# SPDX-License-Identifier: MIT
"""Events of keys that an authority holds in its people's browsers: devices, drills, what was handed over sealed, sealed notes."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType(
        "device:enrolled",
        Klass.CHANGE,
        "{actor} enrolled device {subject} of authority {authority}, which holds key {kid}.",
        ("authority", "kid"),
        ("fingerprint", "proposal"),
    ),
    EventType(
        "device:ended",
        Klass.CHANGE,
        "{actor} ended device {subject} of authority {authority}, {reason}: nothing more is sealed to its key {kid} or handed to it.",
        ("authority", "kid", "reason"),
    ),
    EventType(
        "recovery:drill_begun",
        Klass.CHANGE,
        "{actor} began drill {drill} of recovery key {subject} of authority {authority}.",
        ("authority", "drill"),
    ),
    EventType(
        "recovery:drilled",
        Klass.CHANGE,
        "{actor} proved by drill {drill} that recovery key {subject} of authority {authority} opens what is sealed to it.",
        ("authority", "drill"),
    ),
    EventType(
        "recovery:drill_failed",
        Klass.CHANGE,
        "{actor} gave a wrong answer to drill {drill} of recovery key {subject} of authority {authority}.",
        ("authority", "drill"),
    ),
    EventType(
        "envelope:handed_over",
        Klass.DISCLOSE,
        "{actor} of authority {authority} was handed the {kind} of notification {subject}, sealed, for key {kid} under grant {grant}.",
        ("authority", "grant", "kid", "kind"),
        ("notes",),
    ),
    EventType(
        "note:sealed",
        Klass.CHANGE,
        "{actor} of authority {authority} added note {note} about notification {subject}, sealed {where}.",
        ("authority", "note", "where"),
    ),
)
