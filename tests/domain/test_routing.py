# SPDX-License-Identifier: MIT
"""The decisions table: the home decides; the sender may name the authority, and then says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from mappings.authorities import Directory
from mappings.postcodes import Country, PostcodeArea
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.model import GssCode, OdsCode, ReceiverReason, Routing
from notify_gateway.domain.routing import OTHER_REGIMES, route
from tests.domain.builders import a_child, a_submission

TODAY = date(2026, 1, 14)
STOCKTON, MIDDLESBROUGH = "E06000004", "E06000002"
DIRECTORY = Directory.load()


def area(country: Country = Country.ENGLAND, district: str = STOCKTON) -> PostcodeArea:
    return PostcodeArea(district=district, country=country, terminated=False, edition="2026-02")


def refused(submission: object, where: PostcodeArea | None) -> tuple[str, str | None]:
    with pytest.raises(Refused) as refusal:
        route(submission, where, DIRECTORY, TODAY, edition="2026-02")  # type: ignore[arg-type]
    (issue,) = refusal.value.issues
    return issue.code, issue.expression


@pytest.mark.parametrize("receiver", [None, GssCode(STOCKTON)])
def test_the_home_postcode_finds_the_authority(receiver: GssCode | None) -> None:
    assert route(a_submission(receiver=receiver), area(), DIRECTORY, TODAY) == Routing(STOCKTON, "postcode", "2026-02")


def test_an_authority_may_be_named_by_its_ods_code() -> None:
    stockton = next(authority for authority in DIRECTORY.all(TODAY) if authority.gss == STOCKTON)
    directory = Directory.of("test", [replace(stockton, ods="Y9999")], [])
    named = a_submission(receiver=OdsCode("Y9999"), receiver_reason=ReceiverReason.REFUGE)
    assert route(named, None, directory, TODAY) == Routing(STOCKTON, "named", "")


def test_a_county_is_responsible_for_its_districts() -> None:
    assert route(a_submission(receiver=None), area(district="E07000123"), DIRECTORY, TODAY).authority == "E10000017"


def test_another_authority_needs_the_override_reason() -> None:
    elsewhere = a_submission(receiver=GssCode(MIDDLESBROUGH))
    assert refused(elsewhere, area()) == (Code.RECEIVER_DISAGREES, "receiver")
    override = a_submission(receiver=GssCode(MIDDLESBROUGH), receiver_reason=ReceiverReason.TWO_HOMES)
    assert route(override, area(), DIRECTORY, TODAY) == Routing(MIDDLESBROUGH, "override", "2026-02")


@pytest.mark.parametrize("reason", ReceiverReason)
def test_without_a_usable_postcode_the_sender_names_the_authority_and_says_why(reason: ReceiverReason) -> None:
    homeless = a_submission(child=a_child(postcode=None), receiver_reason=reason)
    assert route(homeless, None, DIRECTORY, TODAY, edition="2026-02") == Routing(STOCKTON, "named", "2026-02")


def test_without_a_usable_postcode_a_name_alone_is_not_enough() -> None:
    assert refused(a_submission(child=a_child(postcode=None)), None) == (Code.REASON_REQUIRED, "header")


def test_without_postcode_or_name_the_sender_is_told_what_to_add() -> None:
    assert refused(a_submission(child=a_child(postcode=None), receiver=None), None) == (Code.POSTCODE_MISSING, "postcode")
    assert refused(a_submission(receiver=None), None) == (Code.POSTCODE_NOT_ENGLISH_AUTHORITY, "postcode")


def test_an_english_postcode_in_no_district_of_today_is_told_apart() -> None:
    assert refused(a_submission(receiver=None), area(district="E99999999")) == (Code.POSTCODE_NOT_ENGLISH_AUTHORITY, "postcode")


@pytest.mark.parametrize(("country", "receiver"), list(product(sorted(OTHER_REGIMES), [None, GssCode(STOCKTON)])))
def test_another_country_has_another_regime_and_is_named(country: str, receiver: GssCode | None) -> None:
    there = area(Country(country), "W06000015")
    assert refused(a_submission(receiver=receiver), there) == (OTHER_REGIMES[country], "postcode")


def test_every_country_but_england_has_a_regime() -> None:
    assert set(OTHER_REGIMES) | {"England"} == {country.value for country in Country}


def test_a_child_with_a_second_home_in_england_may_be_notified_there_with_a_reason() -> None:
    submission = a_submission(receiver_reason=ReceiverReason.TWO_HOMES)
    assert route(submission, area(Country.WALES, "W06000015"), DIRECTORY, TODAY).how == "named"


@pytest.mark.parametrize("receiver", [GssCode("E06999999"), GssCode("W06000015"), GssCode("E07000123"), OdsCode("ZZZZZ")])
def test_a_receiver_that_is_no_responsible_authority_is_refused_even_with_a_reason(receiver: GssCode | OdsCode) -> None:
    submission = a_submission(receiver=receiver, receiver_reason=ReceiverReason.MOVED)
    assert refused(submission, area()) == (Code.RECEIVER_UNKNOWN, "receiver")
