# SPDX-License-Identifier: MIT
"""The words of casework: what each code of an officer's form, and each entry of a history, is called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from notify_gateway.domain.casework import Decision, ExtendReason, How, Part, ReopenReason, Result, Step, TakeReason, Whom

CODES: Final[Mapping[type[StrEnum], Mapping[str, str]]] = MappingProxyType(
    {
        How: {
            How.PHONE: "Telephone",
            How.LETTER: "Letter",
            How.EMAIL: "E-mail",
            How.VISIT: "Visit",
            How.SETTING: "Through the setting",
        },
        Whom: {
            Whom.PARENT: "Parent",
            Whom.CARER: "Carer",
            Whom.SETTING: "Setting",
            Whom.PROFESSIONAL: "Professional",
        },
        Result: {
            Result.SPOKE: "Spoke",
            Result.LEFT_MESSAGE: "Left a message",
            Result.SENT: "Sent",
            Result.NO_ANSWER: "No answer",
            Result.WRONG_NUMBER: "Wrong number or address",
            Result.ASKED_NOT_TO: "Asked not to be contacted",
        },
        Decision: {
            Decision.OPEN: "Not decided",
            Decision.KEEP_BOTH: "Same child, both are worked",
            Decision.DUPLICATE: "Same child, one is worked",
            Decision.NOT_THE_SAME: "Not the same child",
        },
        TakeReason: {
            TakeReason.AWAY: "They are away",
            TakeReason.WORKLOAD: "Workload",
            TakeReason.AREA: "Their area",
            TakeReason.KNOWS_FAMILY: "Knows the family",
            TakeReason.LEFT: "They have left",
        },
        ReopenReason: {
            ReopenReason.RECORDED_IN_ERROR: "Recorded in error",
            ReopenReason.NEW_INFORMATION: "New information",
            ReopenReason.FAMILY_CAME_BACK: "The family came back",
        },
        ExtendReason: {
            ExtendReason.FAMILY_AWAY: "The family is away",
            ExtendReason.PANEL_DATE: "Waits for the panel",
            ExtendReason.STAFFING: "Staffing",
            ExtendReason.WAITING_FOR_SERVICE: "Waits for another service",
        },
        Step: {
            Step.ACKNOWLEDGE: "Acknowledge",
            Step.ALLOCATE: "Assign an officer",
            Step.CONTACT: "Contact the family",
            Step.OUTCOME: "Record the outcome",
            Step.CLOSE: "Close",
            Step.NOTHING: "Nothing",
        },
        Part: {
            Part.NAME: "name",
            Part.ADDRESS: "address",
            Part.CONTACT: "contact details",
            Part.NEEDS: "needs",
        },
    }
)
"""What each code of each list is called."""

HAPPENINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "received": "Received from the trust",
        "updated": "The trust sent an update",
        "withdrawn": "The trust withdrew it",
        "sent-again": "The trust has sent it again, elsewhere",
        "related": "Another notification about the same child came",
        "acknowledged": "Acknowledged",
        "assigned": "Assigned",
        "given-up": "Given up; nobody has it",
        "assignment-undone": "The last assignment was taken back",
        "contact": "Contact recorded",
        "contact-corrected": "Contact corrected",
        "contacted": "Family contacted",
        "question": "Asked the trust",
        "question-closed": "Took the question to the trust back",
        "outcome": "Outcome recorded",
        "reopened": "Taken up again",
        "sent-back": "Sent back to the trust: not in our area",
        "disputed": "Sent back twice: people settle whose it is",
        "extended": "Later day set",
        "closed": "Closed",
        "linked": "Linked with another notification",
        "pair-decided": "Decided whether it is a duplicate",
        "pair-undone": "Took back what was decided of duplicates",
        "viewed": "Somebody looked who the child is",
    }
)
"""What each entry of a history is called."""


def word(kind: type[StrEnum], code: str) -> str:
    """Return what the code of that list is called; raises ``ValueError`` for one that is not in it."""
    return CODES[kind][kind(code)]
