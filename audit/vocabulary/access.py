# SPDX-License-Identifier: MIT
"""Events of those who may do something: clients, keys, tokens, sign-in and what was denied."""

from __future__ import annotations

from audit.vocabulary.row import EventType, Klass

TYPES = (
    EventType(
        "key:made",
        Klass.CHANGE,
        "{actor} made {purpose} key {subject}.",
        ("purpose",),
        ("authority", "fingerprint", "suite", "version"),
    ),
    EventType(
        "key:registered",
        Klass.CHANGE,
        "{actor} registered key {subject} of authority {authority} with fingerprint {fingerprint}.",
        ("authority", "fingerprint"),
        ("confirmed_by", "purpose", "suite"),
    ),
    EventType(
        "key:retired",
        Klass.CHANGE,
        "{actor} retired key {subject}.",
        (),
        ("authority", "purpose", "reason", "successor"),
    ),
    EventType(
        "authority:proposed",
        Klass.CHANGE,
        "{actor} proposed the settings {after} of {subject} for authority {authority}; a second person has to approve them.",
        ("after", "authority"),
        ("fingerprint", "proposal"),
    ),
    EventType(
        "authority:approved",
        Klass.CHANGE,
        "{actor} compared and approved the settings {after} of {subject} for authority {authority}, which {proposed_by} had proposed.",
        ("after", "authority", "proposed_by"),
        ("proposal",),
    ),
    EventType(
        "key:proposed",
        Klass.CHANGE,
        "{actor} proposed the {act} of key {subject}, fingerprint {fingerprint}, of authority {authority}; "
        "a second person has to approve it.",
        ("act", "authority", "fingerprint"),
        ("proposal",),
    ),
    EventType(
        "key:approved",
        Klass.CHANGE,
        "{actor} compared and approved the {act} of key {subject} of authority {authority}, which {proposed_by} had proposed.",
        ("act", "authority", "proposed_by"),
        ("proposal",),
    ),
    EventType(
        "proposal:refused",
        Klass.CHANGE,
        "{actor} refused the {act} of {subject} for authority {authority}, which {proposed_by} had proposed.",
        ("act", "authority", "proposed_by"),
        ("proposal",),
    ),
    EventType(
        "client:registered",
        Klass.CHANGE,
        "{actor} registered client {subject} for {organisation}.",
        ("organisation",),
        ("confirmed_by", "fingerprint", "scopes"),
    ),
    EventType(
        "client:invited",
        Klass.CHANGE,
        "{actor} proposed keys {keys} for {organisation} to sign in with as client {subject}; a second person has to approve them.",
        ("keys", "organisation"),
    ),
    EventType(
        "client:approved",
        Klass.CHANGE,
        "{actor} compared and approved keys {keys}, which {proposed_by} had proposed for client {subject} of {organisation}.",
        ("keys", "organisation", "proposed_by"),
    ),
    EventType(
        "client_key:found",
        Klass.CHANGE,
        "Key {subject} was found where {organisation} publishes its keys, and let in; recorded by {actor}.",
        ("organisation",),
    ),
    EventType("client_key:revoked", Klass.CHANGE, "{actor} revoked key {subject} of {organisation}.", ("organisation",)),
    EventType("token:issued", Klass.STATUS, "{actor} issued an access token to {subject}.", (), ("expires_at", "key", "scopes", "token")),
    EventType("token:revoked", Klass.CHANGE, "{actor} revoked access of {subject}.", (), ("reason", "token")),
    EventType("session:opened", Klass.CHANGE, "{actor} began session {subject} at the operations pages with token {token}.", ("token",)),
    EventType("session:closed", Klass.CHANGE, "{actor} ended session {subject} at the operations pages.", ()),
    EventType(
        "access:denied",
        Klass.STATUS,
        "{actor} was denied access to {subject}: {code}.",
        ("code",),
        ("count", "organisation", "scopes"),
    ),
)
