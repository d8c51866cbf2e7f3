# SPDX-License-Identifier: MIT
"""What an authority tells the trust after its acknowledgement: codes and days only, never words (design: everything that a trust sees
is coded). The lists follow what authorities' early-years teams do with a notification; a plan is one outcome of many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused


class AuthorityOutcome(StrEnum):
    """What came of a notification at the authority."""

    KNOWN_ALREADY = "known-already"
    EARLY_YEARS_SUPPORT = "early-years-support"
    PORTAGE = "portage"
    SPECIALIST_TEACHING = "specialist-teaching"
    INCLUSION_FUNDING = "inclusion-funding"
    EHC_ASSESSMENT_CONSIDERED = "ehc-assessment-considered"
    ADVICE_AND_LOCAL_OFFER = "advice-and-local-offer"
    PLANNING_ONLY = "planning-only"
    FAMILY_DECLINED = "family-declined"
    FAMILY_NOT_REACHED = "family-not-reached"


class SendBackReason(StrEnum):
    """Why an authority is not the responsible one."""

    MOVED = "moved"
    OLD_ADDRESS = "old-address"
    BOUNDARY = "boundary"
    LOOKED_AFTER = "looked-after"
    OUTSIDE_ENGLAND = "outside-england"
    COMPULSORY_SCHOOL_AGE = "compulsory-school-age"
    NOT_KNOWN = "not-known"


class Question(StrEnum):
    """What an authority may ask a trust; the answer is an update of the notification."""

    CONTACT_DETAILS = "contact-details"
    ADDRESS = "address"
    WHICH_SERVICE = "which-service"
    PARENT_FACTS = "parent-facts"
    NEEDS = "needs"
    SAME_CHILD = "same-child"


@dataclass(frozen=True, slots=True)
class Words:
    """What a code is called and what it means."""

    label: str
    meaning: str


OUTCOMES: Final[Mapping[AuthorityOutcome, Words]] = MappingProxyType(
    {
        AuthorityOutcome.KNOWN_ALREADY: Words("Known already", "The authority knows the child already and goes on as it was."),
        AuthorityOutcome.EARLY_YEARS_SUPPORT: Words(
            "Early years support", "Support by the early-years team, with the family or in a setting, was offered."
        ),
        AuthorityOutcome.PORTAGE: Words("Portage or home visiting", "Portage or another home-visiting service was offered."),
        AuthorityOutcome.SPECIALIST_TEACHING: Words("Specialist teaching", "A specialist teaching or sensory support service was offered."),
        AuthorityOutcome.INCLUSION_FUNDING: Words("Inclusion funding", "Funding for the child's inclusion in a setting was arranged."),
        AuthorityOutcome.EHC_ASSESSMENT_CONSIDERED: Words(
            "EHC needs assessment considered", "The authority is considering an education, health and care needs assessment."
        ),
        AuthorityOutcome.ADVICE_AND_LOCAL_OFFER: Words(
            "Advice and local offer", "The family was given advice and shown the local offer; nothing further was arranged."
        ),
        AuthorityOutcome.PLANNING_ONLY: Words("Planning only", "Kept for planning places and services; the family is not contacted."),
        AuthorityOutcome.FAMILY_DECLINED: Words("Family declined", "The family did not want what was offered."),
        AuthorityOutcome.FAMILY_NOT_REACHED: Words("Family not reached", "The family could not be reached."),
    }
)

SEND_BACK_REASONS: Final[Mapping[SendBackReason, Words]] = MappingProxyType(
    {
        SendBackReason.MOVED: Words("Moved", "The child has moved to another area."),
        SendBackReason.OLD_ADDRESS: Words("Old address", "The address of the notification was out of date when it was sent."),
        SendBackReason.BOUNDARY: Words("Boundary", "The home is on the other side of the authority's boundary."),
        SendBackReason.LOOKED_AFTER: Words("Looked after", "Another authority looks after the child and is responsible."),
        SendBackReason.OUTSIDE_ENGLAND: Words("Outside England", "The child lives outside England."),
        SendBackReason.COMPULSORY_SCHOOL_AGE: Words(
            "Compulsory school age", "The child was of compulsory school age when the opinion was formed."
        ),
        SendBackReason.NOT_KNOWN: Words("Not known", "The child is not in the area; the authority does not know whose it is."),
    }
)

QUESTIONS: Final[Mapping[Question, Words]] = MappingProxyType(
    {
        Question.CONTACT_DETAILS: Words("Better contact details", "Nobody could be reached by the contact details of the notification."),
        Question.ADDRESS: Words("Address", "The address is missing, or is not where the family lives."),
        Question.WHICH_SERVICE: Words("Which service", "Which service formed the opinion, and whom the authority may speak with."),
        Question.PARENT_FACTS: Words("What the parent was told", "What the parent was told and offered, and what they said, is not clear."),
        Question.NEEDS: Words("Needs", "What the child's needs are is not clear from the codes that were sent."),
        Question.SAME_CHILD: Words("Same child", "Whether this is the child of another notification of the same trust."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened to a notification, as its sender may know it.

    ``what`` is ``accepted`` or a state that a delivery passed to; ``event`` says of what (``new``, ``update``, ``delete``). ``at`` is when
    the service learnt it, ``on`` the day on which the authority says that it was; ``code`` is an outcome, a reason or a question.
    """

    what: str
    at: datetime
    event: str
    authority: str
    on: date | None = None
    code: str | None = None
    suggested: str | None = None


def check_day(on: date, *, notified_on: date, today: date) -> None:
    """Return if a step may have been taken on that London day; raises ``Refused`` for one before the notification or after today."""
    if not notified_on <= on <= today:
        raise Refused(Issue(Code.STEP_DATE))


def read_outcome(code: str) -> AuthorityOutcome:
    """Return the outcome of that code; raises ``Refused`` if there is none."""
    if code not in set(AuthorityOutcome):
        raise Refused(Issue(Code.OUTCOME_UNKNOWN))
    return AuthorityOutcome(code)


def read_question(code: str) -> Question:
    """Return the question of that code; raises ``Refused`` if there is none."""
    if code not in set(Question):
        raise Refused(Issue(Code.CASE_CHOICE))
    return Question(code)


def read_send_back_reason(code: str) -> SendBackReason:
    """Return the reason of that code; raises ``Refused`` if there is none."""
    if code not in set(SendBackReason):
        raise Refused(Issue(Code.SEND_BACK_REASON))
    return SendBackReason(code)
