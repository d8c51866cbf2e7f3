# SPDX-License-Identifier: MIT
"""What a sender is told of a message that may be accepted as it is: what travels with it, and what would make it better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mappings.needs import Strength, Translation, suggest_multi_sensory, translate
from notify_gateway.domain.model import Judgement, LegalBasis, Opinion, Submission
from notify_gateway.domain.section23 import Flag


class Severity(StrEnum):
    """How much a sender should care, in FHIR's words."""

    WARNING = "warning"
    INFORMATION = "information"


class Advice(StrEnum):
    """Names of what is told; those of the law's flags are the flags' own."""

    CONTACT_SENSITIVELY = Flag.CONTACT_SENSITIVELY.value
    CAME_OF_AGE_SINCE = Flag.CAME_OF_AGE_SINCE.value
    VOLUNTARY_ORGANISATION_NOT_RECORDED = Flag.VOLUNTARY_ORGANISATION_NOT_RECORDED.value
    ADDRESS_RESTRICTED = Flag.ADDRESS_RESTRICTED.value
    NHS_NUMBER_ABSENT = Flag.NHS_NUMBER_ABSENT.value
    VOLUNTARY_NOTIFICATION = "voluntary-notification"
    NEED_WITHOUT_TYPE = "need-without-type"
    NEED_PROVISIONAL = "need-provisional"
    MULTI_SENSORY_SUGGESTED = "multi-sensory-suggested"


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of one advice: fixed words only."""

    severity: Severity
    title: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Remark:
    """One advice, and the FHIRPath of the element that it is about, where there is one."""

    advice: Advice
    expression: str | None = None


WORDS: Final[Mapping[Advice, Words]] = MappingProxyType(
    {
        Advice.CONTACT_SENSITIVELY: Words(
            Severity.INFORMATION,
            "The parent objects",
            "The duty of section 23 has no veto; the authority is asked to make contact sensitively.",
            "Nothing, if the parent's view is recorded as it was given.",
        ),
        Advice.CAME_OF_AGE_SINCE: Words(
            Severity.WARNING,
            "The child has come to compulsory school age since the opinion",
            "The opinion was formed in time, so the duty stands; the authority is told that school age has begun.",
            "Check the dates; notify sooner after the parent was informed.",
        ),
        Advice.VOLUNTARY_ORGANISATION_NOT_RECORDED: Words(
            Severity.WARNING,
            "It is not recorded whether the parent was told of a voluntary organisation",
            "Section 23(4): where one is likely to be able to help, the parent is told of it.",
            "Add a Communication voluntary-organisation-advised: completed, or not-done where none is thought likely to help.",
        ),
        Advice.ADDRESS_RESTRICTED: Words(
            Severity.INFORMATION,
            "The address is restricted",
            "It finds the authority and is left off the card that officers read.",
            "Nothing, if it is meant to be restricted.",
        ),
        Advice.NHS_NUMBER_ABSENT: Words(
            Severity.WARNING,
            "There is no NHS number",
            "Without it the authority has to link this notification to the child by hand.",
            "Trace the number, and send an update with it.",
        ),
        Advice.VOLUNTARY_NOTIFICATION: Words(
            Severity.INFORMATION,
            "Section 23 does not bind the sender",
            "The notification is voluntary, and rests on the parent's agreement.",
            "Nothing, if the organisation is registered as what it is.",
        ),
        Advice.NEED_WITHOUT_TYPE: Words(
            Severity.WARNING,
            "No type of need is known for the opinion's codes",
            "The tables hold none of its codes, or only a risk or a broad one, so the authority's lists show the need without a type.",
            "Add a coding of dfe-sen-type to Condition.code.",
        ),
        Advice.NEED_PROVISIONAL: Words(
            Severity.INFORMATION,
            "The type of need was found provisionally",
            "The code is broader than one type, or leaves room for another.",
            "Add a coding of dfe-sen-type to Condition.code where you know it.",
        ),
        Advice.MULTI_SENSORY_SUGGESTED: Words(
            Severity.INFORMATION,
            "Hearing and vision together may be multi-sensory impairment",
            "Both types are named; the type MSI brings a specialist teacher for both.",
            "If the child is deafblind, use the type MSI.",
        ),
    }
)


def of_law(submission: Submission, judgement: Judgement) -> tuple[Remark, ...]:
    """Return what travels with a submission that is lawful."""
    places = {
        Advice.ADDRESS_RESTRICTED: submission.places.get("postcode"),
        Advice.NHS_NUMBER_ABSENT: submission.places.get("nhs-number"),
        Advice.CAME_OF_AGE_SINCE: submission.places.get("birth-date"),
    }
    raised = [Advice(flag) for flag in sorted(judgement.flags)]
    if judgement.legal_basis is LegalBasis.VOLUNTARY:
        raised.append(Advice.VOLUNTARY_NOTIFICATION)
    return tuple(Remark(advice, places.get(advice, submission.places.get("focus"))) for advice in raised)


def of_needs(submission: Submission) -> tuple[Remark, ...]:
    """Return what would make the opinions easier to act on, by the tables in force on the day of each."""
    found = [(opinion, _translations(opinion)) for opinion in submission.opinions]
    remarks = [remark for opinion, translations in found for remark in _of_opinion(opinion, translations)]
    types = {sen_type for _, translations in found for translation in translations for sen_type in translation.sen_types}
    if suggest_multi_sensory(types):
        remarks.append(Remark(Advice.MULTI_SENSORY_SUGGESTED, found[0][0].at))
    return tuple(remarks)


def _translations(opinion: Opinion) -> list[Translation]:
    found = (translate(coding.system, coding.code, opinion.formed_on) for coding in opinion.codings)
    return [translation for translation in found if translation is not None]


def _of_opinion(opinion: Opinion, found: list[Translation]) -> Iterator[Remark]:
    typed = [translation for translation in found if translation.sen_types]
    if not typed:
        yield Remark(Advice.NEED_WITHOUT_TYPE, opinion.at)
    elif all(translation.strength is Strength.PROVISIONAL for translation in typed):
        yield Remark(Advice.NEED_PROVISIONAL, opinion.at)
