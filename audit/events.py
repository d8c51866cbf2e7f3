# SPDX-License-Identifier: MIT
"""The event vocabulary: one table of what the log can say, and the canonical bytes (RFC 8785 form) in which it says it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

SALT_SIZE = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**53 - 1
# Ids, codes, digests and instants only: without a space or an accent, free text and people's names find no way in.
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=,|#~-]{0,199}")

Value = str | int


class EventInvalid(ValueError):
    """The event is not in the vocabulary; the message names tag and field, never a value."""


class Klass(StrEnum):
    """What the act did, as seen by those whom the data is about; the last two are never done without an event."""

    PUBLIC = "public"
    STATUS = "status"
    DISCLOSE = "disclose"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the vocabulary. ``fields`` must be given, ``optional`` may be; the sentence uses actor, subject and ``fields``."""

    tag: str
    klass: Klass
    sentence: str
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_TYPES = (
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
        ("case", "expires_at", "grant"),
    ),
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
        "client:registered",
        Klass.CHANGE,
        "{actor} registered client {subject} for {organisation}.",
        ("organisation",),
        ("confirmed_by", "fingerprint", "scopes"),
    ),
    EventType("token:issued", Klass.STATUS, "{actor} issued an access token to {subject}.", (), ("expires_at", "scopes", "token")),
    EventType("token:revoked", Klass.CHANGE, "{actor} revoked access of {subject}.", (), ("reason", "token")),
    EventType(
        "access:denied",
        Klass.STATUS,
        "{actor} was denied access to {subject}: {code}.",
        ("code",),
        ("count", "organisation", "scopes"),
    ),
    EventType("config:changed", Klass.CHANGE, "{actor} changed the setting {subject}.", (), ("after", "authority", "before", "reason")),
    EventType(
        "log:opened", Klass.CHANGE, "{actor} opened the log {subject}.", (), ("previous", "previous_root", "previous_size", "reason")
    ),
    EventType("log:viewed", Klass.DISCLOSE, "{actor} read what the log says of notification {subject}."),
    EventType("log:exported", Klass.DISCLOSE, "{actor} exported the log {subject}."),
    EventType("task:viewed", Klass.STATUS, "{actor} looked at the progress of notification {subject}.", (), ("organisation",)),
    EventType(
        "postcodes:switched",
        Klass.CHANGE,
        "{actor} switched the postcode table to edition {subject}.",
        (),
        ("count", "digest", "previous"),
    ),
)

VOCABULARY: Mapping[str, EventType] = MappingProxyType({row.tag: row for row in _TYPES})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: who (``actor``) did what (``tag``) to what (``subject``), when, with which codes.

    EventInvalid unless it fits its row of the vocabulary. No value may be, or lead to, a person's identity.
    """

    tag: str
    at: datetime
    actor: str
    subject: str
    fields: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        row = VOCABULARY.get(self.tag)
        if row is None:
            raise EventInvalid("there is no event type of this tag")
        if self.at.tzinfo is None:
            raise EventInvalid(f"{self.tag}: an instant has a time zone")
        for name in row.fields:
            if name not in self.fields:
                raise EventInvalid(f"{self.tag}: field {name} is missing")
        if unknown := set(self.fields) - set(row.fields) - set(row.optional):
            raise EventInvalid(f"{self.tag}: {len(unknown)} of its fields are not in the vocabulary")
        for name, value in (("actor", self.actor), ("subject", self.subject), *self.fields.items()):
            if not _is_term(value):
                raise EventInvalid(f"{self.tag}: {name} is neither an id, a code nor a whole number")
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    @property
    def type(self) -> EventType:
        """The row of the vocabulary to which the event belongs."""
        return VOCABULARY[self.tag]

    def sentence(self) -> str:
        """Return the event in plain English."""
        return self.type.sentence.format_map({**self.fields, "actor": self.actor, "subject": self.subject})

    def to_leaf(self, salt: bytes) -> bytes:
        """Return the canonical JSON of the event; the random ``salt`` of 16 bytes keeps its hash from being guessed."""
        if len(salt) != SALT_SIZE:
            raise ValueError("a salt has 16 bytes")
        document = {
            "actor": self.actor,
            "at": self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
            "event": self.tag,
            "fields": dict(self.fields),
            "salt": salt.hex(),
            "subject": self.subject,
            "v": 1,
        }
        return json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def read_leaf(leaf: bytes) -> Event:
    """Return the event that a leaf holds; EventInvalid unless these are the very bytes that ``to_leaf`` makes of it."""
    try:
        document = json.loads(leaf)
        event = Event(document["event"], datetime.fromisoformat(document["at"]), document["actor"], document["subject"], document["fields"])
        salt = bytes.fromhex(document["salt"])
        canonical = event.to_leaf(salt)
    except EventInvalid:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise EventInvalid("the leaf holds no event") from error
    if canonical != leaf:
        raise EventInvalid("the leaf is not in canonical form")
    return event


def micros(instant: datetime) -> int:
    """Return the instant as microseconds since 1970 in UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def _is_term(value: object) -> bool:
    if isinstance(value, str):
        return _TERM.fullmatch(value) is not None
    return type(value) is int and -_LARGEST <= value <= _LARGEST
