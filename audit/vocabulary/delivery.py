# SPDX-License-Identifier: MIT
"""Events of handing over: deliveries, what authorities say of them, and the opening of envelopes."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType(
        "delivery:queued",
        Klass.CHANGE,
        "{actor} queued delivery {subject} of notification {notification} for authority {authority}.",
        ("authority", "notification"),
        ("channel", "event", "sequence"),
    ),
    EventType(
        "delivery:attempted",
        Klass.DISCLOSE,
        "{actor} began attempt {attempt} to hand delivery {subject} to authority {authority}.",
        ("attempt", "authority"),
        ("channel", "notification"),
        settled_by=("delivery:offered", "delivery:received", "delivery:failed", "delivery:unsettled"),
    ),
    EventType(
        "delivery:unsettled",
        Klass.CHANGE,
        "Of attempt {attempt} to hand delivery {subject} to authority {authority} no result is known; recorded by {actor}.",
        ("attempt", "authority"),
        ("channel", "notification"),
    ),
    EventType(
        "delivery:offered",
        Klass.DISCLOSE,
        "{actor} offered delivery {subject} to authority {authority}, which has not confirmed it.",
        ("authority",),
        ("attempt", "channel", "digest", "notification"),
    ),
    EventType(
        "delivery:received",
        Klass.CHANGE,
        "Authority {authority} received delivery {subject} and confirmed its digest {digest}; recorded by {actor}.",
        ("authority", "digest"),
        ("attempt", "channel", "notification"),
    ),
    EventType(
        "delivery:failed",
        Klass.CHANGE,
        "{actor} could not hand delivery {subject} to authority {authority}: {code}.",
        ("authority", "code"),
        ("attempt", "channel", "final", "notification", "retry_at"),
    ),
    EventType(
        "delivery:fetched",
        Klass.DISCLOSE,
        "{actor} fetched delivery {subject} for authority {authority}.",
        ("authority",),
        ("channel", "digest", "notification"),
    ),
    EventType(
        "delivery:acknowledged",
        Klass.CHANGE,
        "{actor} acknowledged delivery {subject} for authority {authority}.",
        ("authority",),
        ("code", "notification"),
    ),
    EventType(
        "delivery:contacted",
        Klass.CHANGE,
        "{actor} recorded for delivery {subject} that authority {authority} was in touch with the family on {on}.",
        ("authority", "on"),
        ("notification",),
    ),
    EventType(
        "delivery:outcome",
        Klass.CHANGE,
        "{actor} recorded outcome {code} of {on} for delivery {subject} to authority {authority}.",
        ("authority", "code", "on"),
        ("notification",),
    ),
    EventType(
        "delivery:returned",
        Klass.CHANGE,
        "{actor} sent delivery {subject} back for authority {authority}, which is not the responsible one: {reason}.",
        ("authority", "reason"),
        ("notification", "suggested"),
    ),
    EventType(
        "delivery:cancelled",
        Klass.CHANGE,
        "{actor} cancelled delivery {subject} to authority {authority}.",
        ("authority",),
        ("notification", "reason"),
    ),
    EventType(
        "delivery:superseded",
        Klass.CHANGE,
        "Delivery {subject} to authority {authority} gave way to delivery {successor}; recorded by {actor}.",
        ("authority", "successor"),
        ("notification",),
    ),
    EventType(
        "opening:attempted",
        Klass.DISCLOSE,
        "{actor} began to open the {kind} of notification {subject} for authority {authority}, under grant {grant}.",
        ("authority", "grant", "kind"),
        settled_by=("envelope:opened", "opening:failed", "opening:unsettled"),
    ),
    EventType(
        "opening:failed",
        Klass.CHANGE,
        "{actor} could not open the {kind} of notification {subject} for authority {authority}, under grant {grant}: {code}.",
        ("authority", "code", "grant", "kind"),
    ),
    EventType(
        "opening:unsettled",
        Klass.CHANGE,
        "Whether anything of notification {subject} was opened under grant {grant} is not known; recorded by {actor}.",
        ("grant",),
        ("authority", "kind"),
    ),
    EventType(
        "envelope:opened",
        Klass.DISCLOSE,
        "{actor} opened the {kind} of notification {subject} for authority {authority}.",
        ("authority", "kind"),
        ("case", "digest", "grant", "key", "reason"),
    ),
    EventType(
        "reveal:granted",
        Klass.DISCLOSE,
        "{actor} was granted sight of the {kind} of notification {subject} for authority {authority}, for {reason}.",
        ("authority", "kind", "reason"),
        ("case", "detail", "expires_at", "grant"),
    ),
)
