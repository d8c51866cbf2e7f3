# SPDX-License-Identifier: MIT
"""Events of an authority's people at work with a notification. Codes, days and ids: what they write to each other is not told here."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType(
        "case:assigned",
        Klass.CHANGE,
        "{actor} assigned notification {subject} at authority {authority}.",
        ("authority",),
        ("before", "officer", "reason"),
    ),
    EventType(
        "case:unassigned",
        Klass.CHANGE,
        "{actor} took back the last assignment of notification {subject} at authority {authority}.",
        ("authority",),
        ("before", "officer"),
    ),
    EventType(
        "case:contact",
        Klass.CHANGE,
        "{actor} recorded for authority {authority} that the family of notification {subject} was tried to be reached on {on}: {result}.",
        ("authority", "on", "result"),
        ("how", "note", "whom"),
    ),
    EventType(
        "case:contact_corrected",
        Klass.CHANGE,
        "{actor} corrected for authority {authority} what was recorded of reaching the family of notification {subject} on {on}: {result}.",
        ("authority", "on", "result"),
        ("how", "note", "whom"),
    ),
    EventType(
        "delivery:questioned",
        Klass.CHANGE,
        "{actor} asked for authority {authority} the sender of delivery {subject} about {code}.",
        ("authority", "code"),
        ("notification",),
    ),
    EventType(
        "delivery:question_closed",
        Klass.CHANGE,
        "{actor} took back for authority {authority} the question to the sender of delivery {subject}.",
        ("authority",),
        ("code", "notification"),
    ),
    EventType(
        "case:outcome",
        Klass.CHANGE,
        "{actor} recorded for authority {authority} the outcome of notification {subject}: {code}.",
        ("authority", "code"),
        ("on", "review_on"),
    ),
    EventType(
        "case:reopened",
        Klass.CHANGE,
        "{actor} took up notification {subject} again at authority {authority}: {reason}.",
        ("authority", "reason"),
    ),
    EventType(
        "case:extended",
        Klass.CHANGE,
        "{actor} put off step {step} of notification {subject} at authority {authority} until {on}: {reason}.",
        ("authority", "on", "reason", "step"),
    ),
    EventType(
        "case:closed",
        Klass.CHANGE,
        "{actor} closed at authority {authority} notification {subject}, which its sender had withdrawn.",
        ("authority",),
    ),
    EventType(
        "case:disputed",
        Klass.CHANGE,
        "Notification {subject} was sent back {times} times, last by authority {authority}, and is disputed; recorded by {actor}.",
        ("authority", "times"),
    ),
    EventType(
        "case:settled",
        Klass.CHANGE,
        "{actor} recorded that it is settled whose notification {subject} is.",
        (),
        ("authority",),
    ),
    EventType(
        "case:linked",
        Klass.CHANGE,
        "{actor} linked notification {subject} at authority {authority} with {other}: about the same child.",
        ("authority", "other"),
        ("pair",),
    ),
    EventType(
        "case:pair_decided",
        Klass.CHANGE,
        "{actor} decided at authority {authority} of notification {subject} and {other}: {decision}.",
        ("authority", "decision", "other"),
        ("kept", "pair"),
    ),
    EventType(
        "case:pair_undone",
        Klass.CHANGE,
        "{actor} took back at authority {authority} what was decided of notification {subject} and {other}.",
        ("authority", "other"),
        ("decision", "pair"),
    ),
    EventType(
        "case:notice_dismissed",
        Klass.CHANGE,
        "{actor} dismissed a notice about notification {subject} at authority {authority}: {kind}.",
        ("authority", "kind"),
    ),
    EventType(
        "inbox:changed",
        Klass.CHANGE,
        "{actor} changed the rules of the inbox of authority {subject}.",
        (),
        ("acknowledge", "allocate", "contact", "outcome", "planning", "reveal"),
    ),
)
