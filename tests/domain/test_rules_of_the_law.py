# SPDX-License-Identifier: MIT
"""The rules that come straight from the law, L1 to L9, one test each by its number; L10 needs a database (``tests/use_cases``)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from mappings.authorities import Directory
from mappings.postcodes import Country, PostcodeArea
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.model import (
    GssCode,
    Judgement,
    LegalBasis,
    OrganisationType,
    ParentView,
    ReceiverReason,
    Submission,
    VoluntaryOrganisation,
)
from notify_gateway.domain.routing import route
from notify_gateway.domain.section23 import Flag, judge
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.structure import check_structure
from tests.domain.builders import FORMED, SENT_AT, TOLD, a_child, a_submission, an_opinion, informed, offered
from tests.support.messages import Message, a_message

RECEIVED = date(2026, 1, 14)
DIRECTORY = Directory.load()
STOCKTON, MIDDLESBROUGH = "E06000004", "E06000002"
ONE_DAY = timedelta(days=1)


def judged(submission: Submission, basis: LegalBasis = LegalBasis.SECTION_23) -> Judgement:
    return judge(submission, sender_basis=basis, received_on=RECEIVED)


def refused(submission: Submission, basis: LegalBasis = LegalBasis.SECTION_23) -> set[str]:
    with pytest.raises(Refused) as refusal:
        judged(submission, basis)
    return {issue.code for issue in refusal.value.issues}


def routed(submission: Submission, country: Country | None, district: str = STOCKTON) -> str:
    area = PostcodeArea(district=district, country=country, terminated=False, edition="x") if country else None
    try:
        return route(submission, area, DIRECTORY, RECEIVED).authority
    except Refused as refusal:
        return refusal.issues[0].code


def reading(message: Message) -> set[str]:
    document = message.document()
    check_structure(document)
    try:
        read_message(document)
    except Refused as refusal:
        return {issue.code for issue in refusal.issues}
    return set()


def test_l1_an_icb_an_nhs_trust_and_a_foundation_trust_are_bound_and_nobody_else_is() -> None:
    bound = {kind for kind in OrganisationType if kind.legal_basis is LegalBasis.SECTION_23}
    assert bound == {OrganisationType.ICB, OrganisationType.NHS_TRUST, OrganisationType.FOUNDATION_TRUST}
    reserved = a_submission(parent_view=ParentView.HAS_CONCERNS)
    assert judged(reserved).legal_basis is LegalBasis.SECTION_23
    assert refused(reserved, LegalBasis.VOLUNTARY) == {Code.AGREEMENT_REQUIRED}
    assert judged(a_submission(parent_agreed_to_share=True), LegalBasis.VOLUNTARY).legal_basis is LegalBasis.VOLUNTARY


def test_l2_the_opinion_has_a_day_that_is_not_of_the_future_and_not_before_birth() -> None:
    born = a_child().birth_date.reveal()
    assert Code.OPINION_IN_FUTURE in refused(a_submission(opinions=[an_opinion(RECEIVED + ONE_DAY)]))
    assert Code.OPINION_BEFORE_BIRTH in refused(a_submission(opinions=[an_opinion(born - ONE_DAY)]))
    assert judged(a_submission(opinions=[an_opinion(born)])).opinion_formed_on == born
    assert reading(a_message().having(lambda d: d["entry"][8]["resource"].pop("recordedDate"))) == {Code.OPINION_DATE}


def test_l3_the_opinion_was_formed_before_compulsory_school_age_began() -> None:
    child, begins = a_child(date(2020, 12, 31)), date(2025, 12, 31)
    last_day = a_submission(child=child, opinions=[an_opinion(begins - ONE_DAY)])
    assert Flag.CAME_OF_AGE_SINCE in judged(last_day).flags
    assert refused(a_submission(child=child, opinions=[an_opinion(begins)])) == {Code.COMPULSORY_SCHOOL_AGE}


@pytest.mark.parametrize("certainty", ["confirmed", "provisional"])
@pytest.mark.parametrize("kinds", [("special-educational-need",), ("disability",), ("special-educational-need", "disability")])
def test_l4_the_child_has_or_probably_has_a_need_a_disability_or_both(certainty: str, kinds: tuple[str, ...]) -> None:
    def change(document: dict[str, list[dict[str, dict[str, object]]]]) -> None:
        system = "https://w3id.org/early-years-send/fhir/CodeSystem/opinion-category"
        condition = document["entry"][8]["resource"]
        condition["verificationStatus"]["coding"][0]["code"] = certainty  # type: ignore[index]
        condition["category"] = [{"coding": [{"system": system, "code": kind}]} for kind in kinds]

    assert reading(a_message().having(change)) == set()


def test_l4_an_opinion_that_is_neither_or_of_no_kind_is_refused() -> None:
    assert reading(a_message().having(lambda d: d["entry"][8]["resource"].pop("category"))) == {Code.OPINION_KIND}
    assert reading(a_message().having(lambda d: d["entry"][8]["resource"].pop("verificationStatus"))) == {Code.OPINION_CERTAINTY}


def test_l5_the_parent_was_informed_on_the_day_of_the_opinion_or_later_and_no_later_than_it_was_sent() -> None:
    sent = SENT_AT.date()
    assert refused(a_submission(acts=[offered(TOLD)])) == {Code.PARENT_NOT_INFORMED}
    assert refused(a_submission(acts=[informed(FORMED - ONE_DAY), offered(TOLD)])) == {Code.INFORMED_BEFORE_OPINION}
    assert refused(a_submission(acts=[informed(sent + ONE_DAY), offered(TOLD)])) == {Code.INFORMED_AFTER_NOTIFICATION}
    for day in (FORMED, sent):
        assert judged(a_submission(acts=[informed(day), offered(TOLD)])).informed_on == day


def test_l6_a_discussion_was_offered_no_later_than_it_was_sent_whether_it_was_held_or_not() -> None:
    sent = SENT_AT.date()
    assert refused(a_submission(acts=[informed(TOLD)])) == {Code.DISCUSSION_NOT_OFFERED}
    assert refused(a_submission(acts=[informed(TOLD), offered(sent + ONE_DAY)])) == {Code.OFFERED_AFTER_NOTIFICATION}
    assert judged(a_submission(acts=[informed(TOLD), offered(sent)])).discussion_offered_on == sent


def test_l7_an_unanswered_question_about_voluntary_organisations_is_flagged_and_accepted() -> None:
    flag = Flag.VOLUNTARY_ORGANISATION_NOT_RECORDED
    told = {
        answer: flag in judged(a_submission(voluntary_organisation=answer)).flags
        for answer in (VoluntaryOrganisation.ADVISED, VoluntaryOrganisation.NONE_LIKELY, VoluntaryOrganisation.NOT_RECORDED)
    }
    assert list(told.values()) == [False, False, True]


def test_l8_the_home_resolves_to_one_authority_or_the_sender_names_it_and_says_why() -> None:
    assert routed(a_submission(receiver=None), Country.ENGLAND) == STOCKTON
    nowhere = a_child(postcode=None)
    assert routed(a_submission(child=nowhere, receiver=None), None) == Code.POSTCODE_MISSING
    assert routed(a_submission(child=nowhere), None) == Code.REASON_REQUIRED
    named = a_submission(child=nowhere, receiver=GssCode(MIDDLESBROUGH), receiver_reason=ReceiverReason.NO_FIXED_ADDRESS)
    assert routed(named, None) == MIDDLESBROUGH


@pytest.mark.parametrize(
    ("country", "code"),
    [
        (Country("Wales"), Code.LIVES_IN_WALES),
        (Country("Scotland"), Code.LIVES_IN_SCOTLAND),
        (Country("Northern Ireland"), Code.LIVES_IN_NORTHERN_IRELAND),
        (Country("Isle of Man"), Code.LIVES_IN_CROWN_DEPENDENCY),
    ],
)
def test_l9_a_home_elsewhere_is_sent_back_with_the_regime_that_applies(country: Country, code: Code) -> None:
    assert routed(a_submission(receiver=None), country) == routed(a_submission(), country) == code


def test_what_was_lawful_when_it_was_sent_stays_so_however_late_it_arrives() -> None:
    late = judge(a_submission(), sender_basis=LegalBasis.SECTION_23, received_on=datetime(2031, 1, 1, tzinfo=UTC).date())
    assert Flag.CAME_OF_AGE_SINCE in late.flags
