# SPDX-License-Identifier: MIT
"""Whatever the home, the authority named and the reason: one authority or one refusal, and never an authority that nobody pointed to."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mappings.authorities import Directory
from mappings.postcodes import Country, PostcodeArea
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.model import GssCode, OdsCode, ReceiverReason, Routing, Submission
from notify_gateway.domain.routing import OTHER_REGIMES, route
from tests.domain.builders import a_child, a_submission

TODAY = date(2026, 1, 14)
DIRECTORY = Directory.load()
RESPONSIBLE = sorted(authority.gss for authority in DIRECTORY.all(TODAY))
UNKNOWN = [GssCode("E06999999"), GssCode("W06000015"), OdsCode("ZZZZZ")]

areas = st.builds(
    PostcodeArea,
    district=st.sampled_from([*RESPONSIBLE, "E07000123", "E99999999", "W06000015"]),
    country=st.sampled_from(Country),
    terminated=st.booleans(),
    edition=st.just("2026-02"),
)
known = st.sampled_from(RESPONSIBLE).map(GssCode)
receivers = st.none() | known | st.sampled_from(UNKNOWN)
reasons = st.none() | st.sampled_from(ReceiverReason)


def notified(area: PostcodeArea | None, receiver: GssCode | OdsCode | None, reason: ReceiverReason | None) -> Submission:
    return a_submission(child=a_child(postcode="TS18 1LD" if area else None), receiver=receiver, receiver_reason=reason)


def routed(area: PostcodeArea | None, receiver: GssCode | OdsCode | None, reason: ReceiverReason | None) -> Routing | str:
    try:
        return route(notified(area, receiver, reason), area, DIRECTORY, TODAY, edition="2026-02")
    except Refused as refusal:
        (issue,) = refusal.issues
        return issue.code


def home_of(area: PostcodeArea | None) -> str | None:
    found = DIRECTORY.responsible_for(area.district, TODAY) if area is not None and area.country.value == "England" else None
    return found.gss if found else None


@given(st.none() | areas, receivers, reasons)
def test_it_goes_to_the_home_s_authority_or_to_the_one_named_and_to_no_other(
    area: PostcodeArea | None, receiver: GssCode | OdsCode | None, reason: ReceiverReason | None
) -> None:
    outcome, home = routed(area, receiver, reason), home_of(area)
    if isinstance(outcome, Routing):
        assert outcome.authority in {home, receiver.value if receiver else None}
        assert outcome.authority in RESPONSIBLE
        assert (outcome.how == "postcode") == (outcome.authority == home)
        assert outcome.edition == "2026-02"
    else:
        assert outcome.startswith("NG-50")


@given(st.none() | areas, reasons)
def test_without_a_named_authority_the_home_alone_decides(area: PostcodeArea | None, reason: ReceiverReason | None) -> None:
    outcome, home = routed(area, None, reason), home_of(area)
    assert isinstance(outcome, Routing) == (home is not None)
    if area is None:
        assert outcome == Code.POSTCODE_MISSING
    elif area.country.value in OTHER_REGIMES:
        assert outcome == OTHER_REGIMES[area.country.value]


@given(st.none() | areas, known, st.sampled_from(ReceiverReason))
def test_whoever_names_an_authority_and_says_why_reaches_it(area: PostcodeArea | None, receiver: GssCode, reason: ReceiverReason) -> None:
    outcome = routed(area, receiver, reason)
    assert isinstance(outcome, Routing)
    assert outcome.authority == receiver.value


@given(st.none() | areas, known)
def test_whoever_names_one_without_a_reason_must_name_the_home_s(area: PostcodeArea | None, receiver: GssCode) -> None:
    outcome, home = routed(area, receiver, None), home_of(area)
    assert isinstance(outcome, Routing) == (home == receiver.value)
    if home not in (None, receiver.value):
        assert outcome == Code.RECEIVER_DISAGREES


@given(st.none() | areas, st.sampled_from(UNKNOWN), reasons)
def test_an_authority_that_is_none_is_never_reached(
    area: PostcodeArea | None, receiver: GssCode | OdsCode, reason: ReceiverReason | None
) -> None:
    assert routed(area, receiver, reason) == Code.RECEIVER_UNKNOWN
