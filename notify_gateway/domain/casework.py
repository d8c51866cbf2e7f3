# SPDX-License-Identifier: MIT
"""The life of a case: what one authority's people make of one notification, in one table for pages, exports and documentation.

A delivery's state is what the trust may know; a case's status is what the authority's own people see. Late is reckoned, never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Status(StrEnum):
    """Where a case stands, as people see it."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    QUESTION = "question"
    SENT_BACK = "sent-back"
    OUTCOME = "outcome"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Label:
    """What a status is called, in which colour of GOV.UK's tags, and what it means."""

    label: str
    colour: str
    meaning: str


STATUSES: Final[Mapping[Status, Label]] = MappingProxyType(
    {
        Status.RECEIVED: Label("Received", "blue", "It arrived; nobody has taken it on yet."),
        Status.ACKNOWLEDGED: Label("Acknowledged", "turquoise", "An officer took it on, and the trust was told."),
        Status.CONTACTED: Label("Family contacted", "purple", "Somebody of the authority spoke with the family."),
        Status.QUESTION: Label(
            "Question to trust", "yellow", "The trust was asked something; the time to reply stands still until it answers."
        ),
        Status.SENT_BACK: Label(
            "Sent to another council", "grey", "The child is not in the area; it stays open until the trust sends it again."
        ),
        Status.OUTCOME: Label("Outcome recorded", "green", "What came of it is recorded, and the trust was told."),
        Status.WITHDRAWN: Label("Withdrawn by trust", "grey", "The trust took the notification back."),
        Status.DUPLICATE: Label("Duplicate", "grey", "It says what another notification says, which is worked instead."),
    }
)


class Tab(StrEnum):
    """The lists of the inbox."""

    TO_DO = "to-do"
    MINE = "mine"
    NOT_ASSIGNED = "not-assigned"
    WAITING = "waiting"
    FINISHED = "finished"


class Sort(StrEnum):
    """By what the inbox can be sorted."""

    REPLY_BY = "reply-by"
    RECEIVED = "received"
    NEED = "need"


class Step(StrEnum):
    """What is to be done next with a case; each but the last two has its own number of working days."""

    ACKNOWLEDGE = "acknowledge"
    ALLOCATE = "allocate"
    CONTACT = "contact"
    OUTCOME = "outcome"
    CLOSE = "close"
    NOTHING = "nothing"


class NoticeKind(StrEnum):
    """What an officer is told on top of a page until they dismiss it."""

    CHANGED = "changed"
    """The trust changed the notification since the authority acted."""
    WITHDRAWN = "withdrawn"
    RELATED = "related"
    """Another notification about the same child came."""
    DISPUTED = "disputed"
    """Sent back twice: operator and managers settle whose it is."""


class Part(StrEnum):
    """What of a notification an update may change; never to what."""

    NAME = "name"
    ADDRESS = "address"
    CONTACT = "contact"
    NEEDS = "needs"


class How(StrEnum):
    """By what way somebody tried to reach the family."""

    PHONE = "phone"
    LETTER = "letter"
    EMAIL = "email"
    VISIT = "visit"
    SETTING = "setting"


class Whom(StrEnum):
    """Whom they tried to reach."""

    PARENT = "parent"
    CARER = "carer"
    SETTING = "setting"
    PROFESSIONAL = "professional"


class Result(StrEnum):
    """What came of the attempt."""

    SPOKE = "spoke"
    LEFT_MESSAGE = "left-message"
    SENT = "sent"
    NO_ANSWER = "no-answer"
    WRONG_NUMBER = "wrong-number"
    ASKED_NOT_TO = "asked-not-to"


class Decision(StrEnum):
    """What people make of two notifications that may be of one child."""

    OPEN = "open"
    KEEP_BOTH = "keep-both"
    DUPLICATE = "duplicate"
    NOT_THE_SAME = "not-the-same"


class TakeReason(StrEnum):
    """Why a case is taken from somebody who had it."""

    AWAY = "away"
    WORKLOAD = "workload"
    AREA = "area"
    KNOWS_FAMILY = "knows-family"
    LEFT = "left"


class ReopenReason(StrEnum):
    """Why a case with an outcome is taken up again."""

    RECORDED_IN_ERROR = "recorded-in-error"
    NEW_INFORMATION = "new-information"
    FAMILY_CAME_BACK = "family-came-back"


class ExtendReason(StrEnum):
    """Why a manager sets a later day."""

    FAMILY_AWAY = "family-away"
    PANEL_DATE = "panel-date"
    STAFFING = "staffing"
    WAITING_FOR_SERVICE = "waiting-for-service"
