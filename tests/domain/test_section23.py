# SPDX-License-Identifier: MIT
"""Section 23 as a judgement: the order of events by London days, school age, the legal basis, the flags."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.model import Judgement, LegalBasis, OrganisationType, ParentView, Submission, VoluntaryOrganisation
from notify_gateway.domain.section23 import Flag, judge
from tests.domain.builders import FORMED, SENT_AT, TOLD, a_child, a_submission, an_opinion, informed, offered

RECEIVED = date(2026, 1, 14)


def judged(submission: Submission, basis: LegalBasis = LegalBasis.SECTION_23, received_on: date = RECEIVED) -> Judgement:
    return judge(submission, sender_basis=basis, received_on=received_on)


def refusals(
    submission: Submission, basis: LegalBasis = LegalBasis.SECTION_23, received_on: date = RECEIVED
) -> set[tuple[str, str | None]]:
    with pytest.raises(Refused) as refusal:
        judged(submission, basis, received_on)
    return {(issue.code, issue.expression) for issue in refusal.value.issues}


def test_a_lawful_notification_carries_its_three_dates() -> None:
    assert judged(a_submission()) == Judgement(LegalBasis.SECTION_23, frozenset(), TOLD, TOLD, FORMED)


def test_all_on_one_day_is_lawful() -> None:
    day = date(2026, 1, 14)
    assert judged(a_submission(opinions=[an_opinion(day)], acts=[informed(day), offered(day)])).informed_on == day


def test_all_broken_rules_are_told_at_once() -> None:
    bad = a_submission(child=a_child(date(2020, 1, 1)), acts=[informed(FORMED - timedelta(1))])
    assert refusals(bad, LegalBasis.VOLUNTARY) == {
        (Code.COMPULSORY_SCHOOL_AGE, "opinion"),
        (Code.INFORMED_BEFORE_OPINION, "informed"),
        (Code.DISCUSSION_NOT_OFFERED, "focus"),
        (Code.AGREEMENT_REQUIRED, "focus"),
    }


def test_days_are_londons_in_summer() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    next_day = date(2026, 7, 1)
    submission = a_submission(sent_at=late, opinions=[an_opinion(next_day)], acts=[informed(next_day), offered(next_day)])
    assert judged(submission, received_on=next_day).opinion_formed_on == next_day
    assert (Code.NOTIFICATION_IN_FUTURE, "sent") in refusals(submission, received_on=date(2026, 6, 30))


def test_each_of_several_opinions_must_be_told_of() -> None:
    two = [an_opinion(FORMED), an_opinion(date(2026, 1, 12), at="second")]
    assert refusals(a_submission(opinions=two)) == {(Code.INFORMED_BEFORE_OPINION, "informed"), (Code.OFFERED_BEFORE_OPINION, "offered")}
    told_twice = [informed(TOLD), informed(date(2026, 1, 12)), offered(TOLD), offered(date(2026, 1, 13))]
    assert judged(a_submission(opinions=two, acts=told_twice)).informed_on == date(2026, 1, 12)


def test_a_later_act_beside_a_timely_one_does_no_harm() -> None:
    acts = [informed(TOLD), informed(date(2026, 1, 20), at="again"), offered(TOLD)]
    assert judged(a_submission(acts=acts), received_on=date(2026, 2, 1)).informed_on == TOLD


@pytest.mark.parametrize(
    ("formed", "code"),
    [
        (date(2026, 1, 15), Code.OPINION_IN_FUTURE),
        (date(2022, 11, 2), Code.OPINION_BEFORE_BIRTH),
    ],
)
def test_an_opinion_has_its_time(formed: date, code: Code) -> None:
    assert (code, "opinion") in refusals(a_submission(opinions=[an_opinion(formed)]))


def test_an_opinion_on_the_day_of_birth_is_lawful() -> None:
    assert judged(a_submission(child=a_child(FORMED))).opinion_formed_on == FORMED


def test_an_opinion_between_sending_and_receipt_was_not_notified() -> None:
    late = a_submission(opinions=[an_opinion(date(2026, 1, 15))], acts=[informed(date(2026, 1, 15)), offered(date(2026, 1, 15))])
    assert (Code.OPINION_AFTER_NOTIFICATION, "opinion") in refusals(late, received_on=date(2026, 1, 20))


def test_a_child_who_came_of_age_since_is_accepted_and_flagged() -> None:
    born = date(2020, 8, 31)
    last, first_day_of_age = date(2025, 8, 30), date(2025, 8, 31)
    submission = a_submission(
        child=a_child(born),
        opinions=[an_opinion(last)],
        acts=[informed(last), offered(last)],
        sent_at=datetime(2025, 9, 2, 9, tzinfo=UTC),
    )
    assert Flag.CAME_OF_AGE_SINCE in judged(submission, received_on=date(2025, 9, 2)).flags
    assert Flag.CAME_OF_AGE_SINCE not in judged(replace(submission, sent_at=datetime(2025, 8, 30, 9, tzinfo=UTC)), received_on=last).flags
    too_late = replace(submission, opinions=(an_opinion(first_day_of_age),))
    assert (Code.COMPULSORY_SCHOOL_AGE, "opinion") in refusals(too_late, received_on=date(2025, 9, 2))


def test_an_objection_does_not_stop_the_duty_but_is_flagged() -> None:
    assert judged(a_submission(parent_view=ParentView.OBJECTS)).flags == {Flag.CONTACT_SENSITIVELY}


@pytest.mark.parametrize("kind", OrganisationType)
def test_only_the_bodies_of_section_23_may_notify_without_agreement(kind: OrganisationType) -> None:
    submission = a_submission(parent_view=ParentView.HAS_CONCERNS)
    if kind is OrganisationType.OTHER:
        assert refusals(submission, kind.legal_basis) == {(Code.AGREEMENT_REQUIRED, "focus")}
    else:
        assert judged(submission, kind.legal_basis).legal_basis is LegalBasis.SECTION_23


@pytest.mark.parametrize("agreement", [{"parent_agreed_to_share": True}, {"parent_view": ParentView.AGREES}])
def test_a_voluntary_sender_notifies_with_the_parents_agreement(agreement: dict[str, object]) -> None:
    assert judged(a_submission(**agreement), LegalBasis.VOLUNTARY).legal_basis is LegalBasis.VOLUNTARY


def test_what_the_officer_should_know_is_flagged() -> None:
    child = a_child(number=None, restricted=True)
    submission = a_submission(child=child, voluntary_organisation=VoluntaryOrganisation.NOT_RECORDED)
    assert judged(submission).flags == {Flag.ADDRESS_RESTRICTED, Flag.NHS_NUMBER_ABSENT, Flag.VOLUNTARY_ORGANISATION_NOT_RECORDED}
    assert judged(a_submission(voluntary_organisation=VoluntaryOrganisation.NONE_LIKELY)).flags == frozenset()


days = st.integers(min_value=-40, max_value=40).map(lambda n: RECEIVED + timedelta(days=n))


@given(formed=days, told=days, offer=days, sent=days)
def test_the_order_of_dates_alone_decides(formed: date, told: date, offer: date, sent: date) -> None:
    noon = datetime(sent.year, sent.month, sent.day, 12, tzinfo=UTC)
    submission = a_submission(opinions=[an_opinion(formed)], acts=[informed(told), offered(offer)], sent_at=noon)
    lawful = formed <= told <= sent <= RECEIVED and formed <= offer <= sent
    if lawful:
        assert judged(submission).opinion_formed_on == formed
    else:
        assert refusals(submission)


@given(st.lists(days, min_size=1, max_size=4), st.lists(days, max_size=4), st.lists(days, max_size=4))
def test_any_number_of_acts_gives_a_judgement_or_a_refusal(formed: list[date], told: list[date], offers: list[date]) -> None:
    submission = a_submission(opinions=[an_opinion(day) for day in formed], acts=[*map(informed, told), *map(offered, offers)])
    sent = SENT_AT.date()
    in_time = [[day for day in acts if max(formed) <= day <= sent] for acts in (told, offers)]
    if all(in_time) and max(formed) <= sent:
        assert judged(submission).informed_on == max(day for day in told if day <= sent)
    else:
        assert refusals(submission)
