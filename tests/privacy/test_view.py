# SPDX-License-Identifier: MIT
"""The view: exactly the published fields, none of the child's own, and no way around the allow-list."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from notify_gateway.domain.identity import BirthDate
from notify_gateway.domain.model import LegalBasis, ParentView, Routing
from notify_gateway.domain.school_age import is_under_compulsory_school_age
from notify_gateway.domain.section23 import Flag
from notify_gateway.privacy.disclosure import SCHEMA, Standing, leaves
from notify_gateway.privacy.encoding import canonical_json, sha256_hex
from notify_gateway.privacy.view import ViewFlag, age_in_months, term_cohort
from tests.privacy.builders import CANARIES, CARD, STOCKTON, a_judgement, a_need, a_submission, a_view, some_pseudonyms

VALIDATOR = Draft202012Validator(SCHEMA)

ALLOWED = {
    "format",
    "version",
    "reference",
    "child",
    "authority",
    "sender",
    "sender_service",
    "needs",
    "opinion_formed_on",
    "parent_informed_on",
    "discussion_offered_on",
    "sent_on",
    "term_cohort",
    "parent_view",
    "voluntary_organisation",
    "do_not_contact_before",
    "flags",
}
ADDED_SINCE = {"voluntary_organisation", "do_not_contact_before"}
"""What views that are held already lack, and every new one has."""
ALLOWED_OF_A_NEED = {"sen_type", "area", "certainty", "kinds", "strength", "table_version"}


def test_the_schema_is_a_schema_that_allows_nothing_beside_its_fields() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for node in (SCHEMA, SCHEMA["$defs"]["need"]):
        assert node["additionalProperties"] is False
        assert set(node["required"]) == set(node["properties"]) - ADDED_SINCE


def test_the_fields_of_a_view_are_the_allow_list_of_the_schema_and_of_the_design() -> None:
    view = a_view()
    assert set(view.fields) == set(SCHEMA["properties"]) == ALLOWED
    assert set(json.loads(view.content)["needs"][0]) == set(SCHEMA["$defs"]["need"]["properties"]) == ALLOWED_OF_A_NEED


def test_a_view_conforms_to_its_published_schema() -> None:
    VALIDATOR.validate(json.loads(a_view().content))


def test_no_canary_is_in_the_view() -> None:
    content = a_view().content.decode()
    assert [canary for canary in CANARIES if canary.casefold() in content.casefold()] == []
    assert json.dumps(CARD) not in content


def test_the_view_is_canonical_and_its_digest_is_of_those_bytes() -> None:
    view = a_view()
    assert view.content == canonical_json(json.loads(view.content))
    assert view.content.isascii()
    assert view.digest.hex() == sha256_hex(view.content)


def test_every_value_of_a_view_is_a_published_word_or_an_opaque_code() -> None:
    opaque = {leaf.path for leaf in leaves(dict(a_view().fields)) if leaf.standing is Standing.OPAQUE}
    assert opaque == {"view.reference", "view.child", "view.authority", "view.sender", "view.needs[0].sen_type", "view.needs[1].sen_type"}
    assert all(leaf.standing is not Standing.OPEN for leaf in leaves(dict(a_view().fields)))


def test_a_stopped_opinion_without_dates_has_a_view_as_well() -> None:
    view = a_view(judgement=a_judgement(opinion_formed_on=None, informed_on=None, discussion_offered_on=None), needs=())
    VALIDATOR.validate(json.loads(view.content))
    assert view.fields["term_cohort"] == "turns-4-2026-autumn"


def test_a_need_that_the_tables_do_not_know_is_there_without_type() -> None:
    view = a_view(needs=[a_need(sen_type=None, area=None, strength=None, table_version=None)])
    VALIDATOR.validate(json.loads(view.content))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"reference": "Zephyrine"}, "view.reference"),
        ({"pseudonym": "9990548609"}, "view.child"),
        ({"sender_ods": "Canary Trust"}, "view.sender"),
        ({"sender_service": "Canary Clinic"}, "view.sender_service"),
        ({"needs": [a_need(sen_type="Zephyrine")]}, r"view.needs\[0\].sen_type"),
        ({"needs": [a_need(area="canary")]}, r"view.needs\[0\].area"),
        ({"needs": [a_need(strength="canary")]}, r"view.needs\[0\].strength"),
        ({"needs": [a_need(table_version="canary")]}, r"view.needs\[0\].table_version"),
        ({"judgement": a_judgement(flags=frozenset({"canary"}))}, r"view.flags\[0\]"),
        ({"routing": Routing("canary", "postcode", "2026-08")}, "view.authority"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_on_the_allow_list_stops_the_view_and_is_not_repeated(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueError, match=path) as caught:
        a_view(**change)
    assert "anary" not in str(caught.value)
    assert "Zephyrine" not in str(caught.value)


def test_every_flag_of_the_domain_and_of_the_view_is_published() -> None:
    assert {flag.value for flag in Flag} | {flag.value for flag in ViewFlag} == set(SCHEMA["properties"]["flags"]["items"]["enum"])


@pytest.mark.parametrize("view", list(ParentView))
def test_every_parents_view_is_published(view: ParentView) -> None:
    VALIDATOR.validate(json.loads(a_view(a_submission(parent_view=view)).content))


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"routing": Routing(STOCKTON, "named", "2026-08")}, "receiver-named-by-sender"),
        ({"routing": Routing(STOCKTON, "override", "2026-08")}, "receiver-overrides-postcode"),
        ({"linked": False, "pseudonym": some_pseudonyms().unlinked()}, "unlinked"),
        ({"judgement": a_judgement(legal_basis=LegalBasis.VOLUNTARY)}, "voluntary-notification"),
        ({"judgement": a_judgement(flags=frozenset({Flag.ADDRESS_RESTRICTED}))}, "address-restricted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_flags_say_what_the_officer_must_know(change: dict[str, Any], flag: str) -> None:
    assert a_view().fields["flags"] == []
    assert a_view(**change).fields["flags"] == [flag]


def test_the_day_of_sending_is_londons() -> None:
    late = a_submission().sent_at.replace(month=6, hour=23, minute=30)
    assert a_view(a_submission(sent_at=late)).fields["sent_on"] == "2026-06-15"


@pytest.mark.parametrize(
    ("born", "on", "cohort"),
    [
        (date(2022, 11, 3), date(2026, 1, 8), "turns-4-2026-autumn"),
        (date(2023, 2, 1), date(2026, 1, 8), "turns-3-2026-spring"),
        (date(2023, 2, 1), date(2026, 3, 31), "turns-3-2026-spring"),
        (date(2023, 2, 1), date(2026, 4, 1), "turns-4-2027-spring"),
        (date(2026, 1, 8), date(2026, 1, 8), "turns-0-2026-spring"),
        (date(2021, 8, 31), date(2026, 8, 30), "turns-5-2026-summer"),
        (date(2021, 9, 1), date(2026, 12, 30), "turns-5-2026-autumn"),
        (date(2020, 2, 29), date(2025, 3, 30), "turns-5-2025-spring"),
        (date(2021, 9, 1), date(2026, 8, 31), "turns-5-2026-autumn"),
        (date(2020, 1, 1), date(2026, 1, 1), None),
        (date(2027, 1, 1), date(2026, 1, 1), None),
    ],
)
def test_the_cohort_is_the_first_term_from_now_on_with_a_birthday_in_it(born: date, on: date, cohort: str | None) -> None:
    assert term_cohort(BirthDate(born), on) == cohort


@given(st.dates(), st.dates())
def test_whatever_dates_a_message_holds_its_view_is_publishable(born: date, formed: date) -> None:
    child = replace(a_submission().child, birth_date=BirthDate(born))
    judgement = a_judgement(opinion_formed_on=formed, informed_on=formed, discussion_offered_on=formed)
    VALIDATOR.validate(json.loads(a_view(a_submission(child=child), judgement).content))


days = st.dates(date(2018, 1, 1), date(2040, 12, 31))


@given(days, st.integers(0, 2500))
def test_every_child_under_compulsory_school_age_has_a_cohort_that_is_published(born: date, lived: int) -> None:
    on = born + timedelta(days=lived)
    cohort = term_cohort(BirthDate(born), on)
    if is_under_compulsory_school_age(born, on):
        assert cohort is not None
    assert VALIDATOR.evolve(schema=SCHEMA["properties"]["term_cohort"]).is_valid(cohort)


@given(days, days)
def test_children_born_in_one_term_share_their_cohort_on_every_day(born: date, on: date) -> None:
    first = born.replace(month=1 if born.month <= 3 else 4 if born.month <= 8 else 9, day=1)
    assert term_cohort(BirthDate(born), on) == term_cohort(BirthDate(first), on)


@pytest.mark.parametrize(
    ("born", "on", "months"),
    [
        (date(2022, 11, 3), date(2026, 1, 2), 37),
        (date(2022, 11, 3), date(2026, 1, 3), 38),
        (date(2024, 2, 29), date(2025, 2, 28), 11),
        (date(2026, 1, 8), date(2026, 1, 8), 0),
    ],
)
def test_age_in_months_counts_whole_months(born: date, on: date, months: int) -> None:
    assert age_in_months(BirthDate(born), on) == months


def test_the_age_in_months_and_the_trusts_code_are_not_in_the_view() -> None:
    submission = a_submission()
    assert b"age" not in a_view(submission).content.replace(b"language", b"")
    assert submission.opinions[0].codings[0].code.encode() not in a_view(submission).content


values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["has", "RXX", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(ALLOWED | {"name"})), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(ALLOWED)), values)
def test_the_walk_over_the_schema_agrees_with_a_full_validator(name: str, value: Any) -> None:
    document = {**a_view().fields, name: value}
    unique = all(len(document[part]) == len({*map(str, document[part])}) for part in ("flags",) if isinstance(document[part], list))
    conforms = all(leaf.standing is not Standing.OPEN for leaf in leaves(document))
    assert (conforms and unique) == VALIDATOR.is_valid(document)


@pytest.mark.parametrize("field", sorted(ALLOWED - ADDED_SINCE))
def test_a_missing_field_is_noticed(field: str) -> None:
    document = {name: value for name, value in a_view().fields.items() if name != field}
    assert any(leaf.standing is Standing.OPEN for leaf in leaves(document))
