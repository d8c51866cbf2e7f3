# SPDX-License-Identifier: MIT
"""What the codes of a case are called on pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from notify_gateway.domain.casework import (
    Decision,
    ExtendReason,
    How,
    NoticeKind,
    Part,
    ReopenReason,
    Result,
    Sort,
    Step,
    Tab,
    TakeReason,
    Whom,
)
from notify_gateway.domain.feedback import Question, SendBackReason
from notify_gateway.use_cases.reveal import RevealReason
from notify_gateway.web.forms import Option

TABS: Final[Mapping[Tab, str]] = MappingProxyType(
    {
        Tab.TO_DO: "To do",
        Tab.MINE: "Mine",
        Tab.NOT_ASSIGNED: "Not assigned",
        Tab.WAITING: "Waiting for someone",
        Tab.FINISHED: "Finished",
    }
)
SORTS: Final[Mapping[Sort, str]] = MappingProxyType({Sort.NEED: "Need and age", Sort.RECEIVED: "Received", Sort.REPLY_BY: "Reply by"})
STEPS: Final[Mapping[Step, str]] = MappingProxyType(
    {
        Step.ACKNOWLEDGE: "Acknowledge",
        Step.ALLOCATE: "Give it to an officer",
        Step.CONTACT: "Contact the family",
        Step.OUTCOME: "Record an outcome",
        Step.CLOSE: "Close it",
        Step.NOTHING: "Nothing to do",
    }
)
HOW: Final[Mapping[How, str]] = MappingProxyType(
    {How.PHONE: "Phone", How.LETTER: "Letter", How.EMAIL: "Email", How.VISIT: "Visit", How.SETTING: "Through the nursery or setting"}
)
WHOM: Final[Mapping[Whom, str]] = MappingProxyType(
    {Whom.PARENT: "Parent", Whom.CARER: "Carer", Whom.SETTING: "Nursery or setting", Whom.PROFESSIONAL: "Another professional"}
)
RESULTS: Final[Mapping[Result, str]] = MappingProxyType(
    {
        Result.SPOKE: "Spoke",
        Result.LEFT_MESSAGE: "Left a message",
        Result.SENT: "Sent, no answer yet",
        Result.NO_ANSWER: "No answer",
        Result.WRONG_NUMBER: "Wrong number or address",
        Result.ASKED_NOT_TO: "Asked not to be contacted",
    }
)
QUESTIONS: Final[Mapping[Question, str]] = MappingProxyType(
    {
        Question.CONTACT_DETAILS: "Better contact details for the family",
        Question.ADDRESS: "Where the child lives now",
        Question.WHICH_SERVICE: "Which service formed the opinion",
        Question.PARENT_FACTS: "What the parent was told, and when",
        Question.NEEDS: "What the needs are",
        Question.SAME_CHILD: "Whether this is the same child as another notification",
    }
)
TAKING: Final[Mapping[TakeReason, str]] = MappingProxyType(
    {
        TakeReason.AWAY: "They are away",
        TakeReason.WORKLOAD: "They have too much on",
        TakeReason.AREA: "It is in somebody else's area",
        TakeReason.KNOWS_FAMILY: "Somebody else knows the family",
        TakeReason.LEFT: "They have left the team",
    }
)
REOPENING: Final[Mapping[ReopenReason, str]] = MappingProxyType(
    {
        ReopenReason.RECORDED_IN_ERROR: "The outcome was recorded in error",
        ReopenReason.NEW_INFORMATION: "There is new information",
        ReopenReason.FAMILY_CAME_BACK: "The family came back to us",
    }
)
EXTENDING: Final[Mapping[ExtendReason, str]] = MappingProxyType(
    {
        ExtendReason.FAMILY_AWAY: "The family is away",
        ExtendReason.PANEL_DATE: "It waits for a panel",
        ExtendReason.STAFFING: "We are short of staff",
        ExtendReason.WAITING_FOR_SERVICE: "It waits for another service",
    }
)
SENDING_BACK: Final[Mapping[SendBackReason, str]] = MappingProxyType(
    {
        SendBackReason.MOVED: "The child has moved to another area",
        SendBackReason.OLD_ADDRESS: "The trust used an old address",
        SendBackReason.BOUNDARY: "The home is on the other side of our boundary",
        SendBackReason.LOOKED_AFTER: "Another council looks after the child and placed them here",
        SendBackReason.OUTSIDE_ENGLAND: "The child lives abroad or outside England",
        SendBackReason.COMPULSORY_SCHOOL_AGE: "The child was already of compulsory school age",
        SendBackReason.NOT_KNOWN: "We do not know whose it is",
    }
)
REVEALING: Final[Mapping[RevealReason, str]] = MappingProxyType(
    {
        RevealReason.CONTACT_FAMILY: "To contact the family",
        RevealReason.ALREADY_KNOWN: "To check if we already know this child",
        RevealReason.RESPONSIBLE_AUTHORITY: "To check which council is responsible",
        RevealReason.ANSWER_PARENT: "To answer the parent",
        RevealReason.SAFEGUARDING: "Safeguarding",
    }
)
DECISIONS: Final[Mapping[Decision, str]] = MappingProxyType(
    {
        Decision.KEEP_BOTH: "Same child, keep both: they are about different needs",
        Decision.DUPLICATE: "Same child, and one says what the other says: work only one",
        Decision.NOT_THE_SAME: "Not the same child",
    }
)
DECIDED: Final[Mapping[Decision, str]] = MappingProxyType(
    {
        Decision.OPEN: "Not decided yet",
        Decision.KEEP_BOTH: "Same child, both are worked",
        Decision.DUPLICATE: "Same child, one is a duplicate",
        Decision.NOT_THE_SAME: "Not the same child",
    }
)
PARTS: Final[Mapping[Part, str]] = MappingProxyType(
    {Part.NAME: "name", Part.ADDRESS: "address", Part.CONTACT: "contact details", Part.NEEDS: "needs"}
)
NOTICES: Final[Mapping[NoticeKind, str]] = MappingProxyType(
    {
        NoticeKind.CHANGED: "The trust changed this since you acted",
        NoticeKind.WITHDRAWN: "Withdrawn by the trust",
        NoticeKind.RELATED: "Another notification about the same child came",
        NoticeKind.DISPUTED: "Sent back twice: managers and the operator settle whose it is",
    }
)
ORGANISATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"advised": "Yes, the parent was told of organisations that may help", "none-likely": "The trust knows of none that is likely to help"}
)
CERTAINTIES: Final[Mapping[str, str]] = MappingProxyType({"has": "Has", "probably-has": "Probably has"})
CLOSED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {"update": "answered by an update", "withdrawal": "ended by the trust's withdrawal", "officer": "taken back"}
)


E = TypeVar("E", bound=StrEnum)


def options(words: Mapping[E, str]) -> tuple[Option, ...]:
    """Return the codes as something to choose."""
    return tuple(Option(str(code), label) for code, label in words.items())


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence."""
    every = list(words)
    return f"{', '.join(every[:-1])} and {every[-1]}" if len(every) > 1 else "".join(every)
