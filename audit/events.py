# SPDX-License-Identifier: MIT
"""An event of the vocabulary, and the canonical bytes (RFC 8785 form) in which the log says it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from audit.vocabulary import VOCABULARY, EventType

SALT_SIZE = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**53 - 1
# Ids, codes, digests and instants only: without a space or an accent, free text and people's names find no way in.
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=,|#~-]{0,199}")

Value = str | int


class EventInvalid(ValueError):
    """The event is not in the vocabulary; the message names tag and field, never a value."""


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
