# SPDX-License-Identifier: MIT
"""The tables of needs: whole, consistent, and never promising more than a code says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.needs import (
    DFE_SEN_TYPE,
    SNOMED_CT,
    NeedTables,
    Strength,
    Translation,
    check,
    check_needs,
    explain,
    label,
    suggest_multi_sensory,
    translate,
)
from mappings.verhoeff import is_valid

TODAY = date(2026, 11, 22)
TABLES = NeedTables.load()


def of_snomed(code: str, on: date = TODAY) -> Translation:
    translation = translate(SNOMED_CT, code, on)
    assert translation is not None
    return translation


def test_the_table_holds_151_concepts_of_four_strengths() -> None:
    rows = [row for rows in TABLES.concepts.values() for row in rows]
    assert len(rows) == len(TABLES.concepts) == 151
    assert Counter(row.strength.value for row in rows) == {"direct": 81, "provisional": 55, "risk": 13, "contradiction": 2}


@pytest.mark.parametrize("code", TABLES.concepts)
def test_every_concept_has_a_right_check_digit_and_translates(code: str) -> None:
    assert is_valid(code)
    translation = of_snomed(code)
    assert translation.table_version == TABLES.version
    assert translation.why
    assert set(translation.sen_types) <= set(TABLES.sen_types)
    assert set(translation.areas) <= set(TABLES.areas)


def test_there_are_fourteen_types_and_four_areas() -> None:
    assert set(TABLES.sen_types) == {"ASD", "DS", "HI", "MLD", "MSI", "NSA", "OTH", "PD", "PMLD", "SEMH", "SLCN", "SLD", "SPLD", "VI"}
    assert len(TABLES.areas) == 4


@pytest.mark.parametrize(
    ("code", "areas"),
    [
        ("ASD", ("communication-and-interaction",)),
        ("PMLD", ("cognition-and-learning",)),
        ("SEMH", ("social-emotional-and-mental-health",)),
        ("MSI", ("sensory-and-physical",)),
        ("NSA", ()),
        ("OTH", ()),
    ],
)
def test_a_type_that_the_sender_states_is_taken_with_its_area(code: str, areas: tuple[str, ...]) -> None:
    translation = translate(DFE_SEN_TYPE, code, TODAY)
    assert translation is not None
    assert (translation.sen_types, translation.areas, translation.strength) == ((code,), areas, Strength.STATED)


def test_clinical_mild_is_moderate_for_education_and_says_so() -> None:
    translation = of_snomed("86765009")
    assert (translation.sen_types, translation.strength) == (("MLD",), Strength.DIRECT)
    assert "Trap" in translation.why


def test_clinical_moderate_is_left_to_a_person_and_says_so() -> None:
    translation = of_snomed("61152003")
    assert (translation.sen_types, translation.strength) == (("SLD", "MLD"), Strength.PROVISIONAL)
    assert "Trap" in translation.why


def test_candidates_of_several_areas_name_each_area_once() -> None:
    assert of_snomed("68618008").areas == ("cognition-and-learning", "communication-and-interaction")
    assert of_snomed("224958001").areas == ("cognition-and-learning",)


def test_a_code_without_a_type_may_still_name_its_area() -> None:
    translation = of_snomed("161129001")
    assert (translation.sen_types, translation.areas) == ((), ("cognition-and-learning",))


@pytest.mark.parametrize("strength", [Strength.RISK, Strength.CONTRADICTION])
def test_a_risk_or_a_contradiction_fills_no_type(strength: Strength) -> None:
    codes = [code for code, rows in TABLES.concepts.items() if rows[0].strength is strength]
    assert codes
    for code in codes:
        assert (of_snomed(code).sen_types, of_snomed(code).areas, of_snomed(code).strength) == ((), (), strength)


def test_down_syndrome_is_a_type_of_its_own_only_since_january_2025() -> None:
    assert of_snomed("41040004", date(2025, 1, 1)).sen_types == ("DS",)
    assert translate(SNOMED_CT, "41040004", date(2024, 12, 31)) is None
    assert translate(DFE_SEN_TYPE, "DS", date(2024, 12, 31)) is None


@given(st.text(), st.text())
def test_a_code_that_the_tables_do_not_know_has_no_translation(system: str, code: str) -> None:
    known = {DFE_SEN_TYPE: TABLES.sen_types, SNOMED_CT: TABLES.concepts}.get(system, {})
    assert (translate(system, code, TODAY) is None) == (code not in known)
    assert translate(SNOMED_CT, f"x{code}", TODAY) is None


@pytest.mark.parametrize(
    ("types", "suggested"),
    [(["HI", "VI"], True), (["VI", "PD", "HI"], True), (["HI"], False), (["HI", "VI", "MSI"], False), ([], False)],
)
def test_hearing_and_vision_together_suggest_multi_sensory(types: list[str], suggested: bool) -> None:
    assert suggest_multi_sensory(types) is suggested


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("digit", range(10))
def test_the_check_digit_catches_every_single_wrong_digit(place: int, digit: int) -> None:
    right = "35919005"
    wrong = f"{right[:place]}{digit}{right[place + 1 :]}"
    assert is_valid(wrong) == (wrong == right)


@pytest.mark.parametrize("place", range(7))
def test_the_check_digit_catches_every_swap_of_neighbours(place: int) -> None:
    right = "35919005"
    swapped = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
    assert is_valid(swapped) == (swapped == right)


@pytest.mark.parametrize("text", ["", "0", "12345", "0359190050", "٣٥٩١٩٠٠٥", "35919005 ", "-35919005", "1" * 19])
def test_what_is_not_an_identifier_fails_the_check(text: str) -> None:
    assert not is_valid(text)


def test_explaining_a_concept_gives_its_term_types_areas_reason_and_version() -> None:
    told = "\n".join(explain("86765009", TODAY))
    for part in ("Mild intellectual disability", "MLD Moderate learning difficulty", "Cognition and learning", "Trap", TABLES.version):
        assert part in told


def test_explaining_a_type_says_that_the_sender_states_it() -> None:
    assert "The sender states this type." in "\n".join(explain("SLCN", TODAY))


def test_explaining_an_unknown_code_tells_a_typing_mistake_from_a_gap() -> None:
    assert "has the check digit of a SNOMED CT identifier" in explain("73211009", TODAY)[0]
    assert "is not a SNOMED CT identifier" in explain("73211008", TODAY)[0]


def test_types_and_areas_have_words_and_other_codes_have_none() -> None:
    assert label("VI", TODAY) == "Vision impairment"
    assert label("sensory-and-physical", TODAY) == "Sensory and/or physical needs"
    with pytest.raises(KeyError):
        label("XYZ", TODAY)


def test_no_packaged_table_has_a_problem() -> None:
    assert check() == []


def test_the_check_finds_each_kind_of_mistake() -> None:
    sound = TABLES.concepts["35919005"][0]

    def whats(*rows: object) -> list[str]:
        return [problem.what for problem in check_needs(replace(TABLES, concepts={"35919005": rows}))]  # type: ignore[dict-item]

    assert whats(sound) == []
    assert whats(sound, sound) == ["is in force twice on the same day"]
    assert whats(replace(sound, sen_types=("XYZ",))) == ["names XYZ, which is not in force in the same period"]
    assert whats(replace(sound, sen_types=("DS",))) == ["names DS, which is not in force in the same period"]
    assert whats(replace(sound, sen_types=(), area="elsewhere")) == ["names elsewhere, which is not in force in the same period"]
    assert whats(replace(sound, area="sensory-and-physical")) == ["names an area beside its types, which have their own"]
    assert whats(replace(sound, sen_types=("ASD", "SLCN"))) == ["is direct but leaves a choice"]
    assert whats(replace(sound, strength=Strength.CONTRADICTION)) == ["contradicts a need and yet names one"]
    wrong = check_needs(replace(TABLES, concepts={"35919006": (sound,)}))
    assert [problem.what for problem in wrong] == ["fails the Verhoeff check"]
    lost = check_needs(replace(TABLES, sen_types={**TABLES.sen_types, "PD": (replace(TABLES.sen_types["PD"][0], area="elsewhere"),)}))
    assert [problem.what for problem in lost] == ["names an unknown area"]
