# SPDX-License-Identifier: MIT
"""Children and Families Act 2014 section 23, as a judgement on a submission: opinion, then parent, then authority."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.model import Judgement, LegalBasis, ParentActKind, ParentView, Submission, VoluntaryOrganisation
from notify_gateway.domain.school_age import is_under_compulsory_school_age


class Flag(StrEnum):
    """What the receiving officer is told beside the notification; a flag never stops it."""

    CONTACT_SENSITIVELY = "contact-sensitively"
    CAME_OF_AGE_SINCE = "came-of-age-since"
    VOLUNTARY_ORGANISATION_NOT_RECORDED = "voluntary-organisation-not-recorded"
    ADDRESS_RESTRICTED = "address-restricted"
    NHS_NUMBER_ABSENT = "nhs-number-absent"


def judge(submission: Submission, *, sender_basis: LegalBasis, received_on: date) -> Judgement:
    """Return what the law makes of a submission received on the London day ``received_on``.

    Days are London's, and events of one day are in order. Raises ``Refused`` with every rule that is broken. Consent is not asked
    where section 23 binds the sender: an objection is a flag, for the duty has no veto.
    """
    sent_on = london_day(submission.sent_at)
    issues = (
        *_times(submission, sent_on, received_on),
        *_opinions(submission, sent_on, received_on),
        *_acts(submission, ParentActKind.INFORMED, sent_on),
        *_acts(submission, ParentActKind.DISCUSSION_OFFERED, sent_on),
        *_basis(submission, sender_basis),
    )
    if issues:
        raise Refused(*issues)
    return Judgement(
        legal_basis=sender_basis,
        flags=frozenset(_flags(submission, received_on)),
        informed_on=_latest(submission, ParentActKind.INFORMED),
        discussion_offered_on=_latest(submission, ParentActKind.DISCUSSION_OFFERED),
        opinion_formed_on=max(opinion.formed_on for opinion in submission.opinions),
    )


def _times(submission: Submission, sent_on: date, received_on: date) -> Iterator[Issue]:
    if submission.child.birth_date.reveal() > received_on:
        yield Issue(Code.BIRTH_IN_FUTURE, f"{submission.child.at}.birthDate")
    if sent_on > received_on:
        yield Issue(Code.NOTIFICATION_IN_FUTURE, submission.places.get("sent"))


def _opinions(submission: Submission, sent_on: date, received_on: date) -> Iterator[Issue]:
    """Section 23(1): an opinion, on a child, who is under compulsory school age when it is formed."""
    born = submission.child.birth_date.reveal()
    for opinion in submission.opinions:
        if opinion.formed_on > received_on:
            yield Issue(Code.OPINION_IN_FUTURE, opinion.at)
        elif opinion.formed_on > sent_on:
            yield Issue(Code.OPINION_AFTER_NOTIFICATION, opinion.at)
        if opinion.formed_on < born:
            yield Issue(Code.OPINION_BEFORE_BIRTH, opinion.at)
        elif opinion.formed_on <= received_on and not is_under_compulsory_school_age(born, opinion.formed_on):
            yield Issue(Code.COMPULSORY_SCHOOL_AGE, opinion.at)


_ABSENT = {
    ParentActKind.INFORMED: Code.PARENT_NOT_INFORMED,
    ParentActKind.DISCUSSION_OFFERED: Code.DISCUSSION_NOT_OFFERED,
}
_TOO_EARLY = {
    ParentActKind.INFORMED: Code.INFORMED_BEFORE_OPINION,
    ParentActKind.DISCUSSION_OFFERED: Code.OFFERED_BEFORE_OPINION,
}
_TOO_LATE = {
    ParentActKind.INFORMED: Code.INFORMED_AFTER_NOTIFICATION,
    ParentActKind.DISCUSSION_OFFERED: Code.OFFERED_AFTER_NOTIFICATION,
}


def _acts(submission: Submission, kind: ParentActKind, sent_on: date) -> Iterator[Issue]:
    """Section 23(2) and (3): each opinion has an act that follows it, on the same day or later, and that precedes the notification."""
    acts = sorted((act for act in submission.parent_acts if act.kind is kind), key=lambda act: act.on)
    if not acts:
        yield Issue(_ABSENT[kind], submission.places.get("focus"))
        return
    timely = [act for act in acts if act.on <= sent_on]
    if not timely:
        yield Issue(_TOO_LATE[kind], acts[0].at)
    elif timely[-1].on < max(opinion.formed_on for opinion in submission.opinions):
        yield Issue(_TOO_EARLY[kind], timely[-1].at)


def _basis(submission: Submission, basis: LegalBasis) -> Iterator[Issue]:
    """Only section 23 lets a body notify without the parent's agreement."""
    agreed = submission.parent_agreed_to_share or submission.parent_view is ParentView.AGREES
    if basis is LegalBasis.VOLUNTARY and not agreed:
        yield Issue(Code.AGREEMENT_REQUIRED, submission.places.get("focus"))


def _flags(submission: Submission, received_on: date) -> Iterator[Flag]:
    if submission.parent_view is ParentView.OBJECTS:
        yield Flag.CONTACT_SENSITIVELY
    if not is_under_compulsory_school_age(submission.child.birth_date.reveal(), received_on):
        yield Flag.CAME_OF_AGE_SINCE
    if submission.voluntary_organisation is VoluntaryOrganisation.NOT_RECORDED:
        yield Flag.VOLUNTARY_ORGANISATION_NOT_RECORDED
    if submission.child.address_restricted:
        yield Flag.ADDRESS_RESTRICTED
    if submission.child.nhs_number is None:
        yield Flag.NHS_NUMBER_ABSENT


def _latest(submission: Submission, kind: ParentActKind) -> date:
    sent_on = london_day(submission.sent_at)
    return max(act.on for act in submission.parent_acts if act.kind is kind and act.on <= sent_on)
