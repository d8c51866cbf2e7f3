# SPDX-License-Identifier: MIT
"""What a row of the event vocabulary says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Klass(StrEnum):
    """What the act did, as seen by those whom the data is about; the last two are never done without an event."""

    PUBLIC = "public"
    STATUS = "status"
    DISCLOSE = "disclose"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the vocabulary. ``fields`` must be given, ``optional`` may be; the sentence uses actor, subject and ``fields``.

    An act that cannot be undone is recorded before it is done, and one of ``settled_by``, about the same subject, tells how it ended.
    """

    tag: str
    klass: Klass
    sentence: str
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    settled_by: tuple[str, ...] = ()
