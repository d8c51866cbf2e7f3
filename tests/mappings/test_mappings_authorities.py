# SPDX-License-Identifier: MIT
"""The directory of authorities: complete, dated, and the same body under its old and its new code."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mappings.authorities import COMPLETE_FROM, Authority, Directory, District, check

TODAY = date(2026, 11, 22)
BEFORE, AFTER = date(2025, 4, 30), date(2025, 5, 1)


@pytest.fixture(scope="module")
def directory() -> Directory:
    return Directory.load()


def test_153_authorities_are_responsible_today(directory: Directory) -> None:
    today = directory.all(TODAY)
    assert len(today) == len({row.gss for row in today}) == len({row.dfe_code for row in today}) == 153
    assert [row.gss for row in today] == sorted(row.gss for row in today)


@pytest.mark.parametrize(("on", "count"), [(COMPLETE_FROM, 152), (date(2023, 3, 31), 152), (date(2023, 4, 1), 153), (AFTER, 153)])
def test_the_number_of_authorities_follows_the_reorganisations(directory: Directory, on: date, count: int) -> None:
    assert len(directory.all(on)) == count


def test_the_five_authorities_of_the_tees_valley_have_their_codes(directory: Directory) -> None:
    found = {row.gss: (row.dfe_code, row.name) for row in directory.all(TODAY) if row.gss <= "E06000005"}
    assert found == {
        "E06000001": ("805", "Hartlepool"),
        "E06000002": ("806", "Middlesbrough"),
        "E06000003": ("807", "Redcar and Cleveland"),
        "E06000004": ("808", "Stockton-on-Tees"),
        "E06000005": ("841", "Darlington"),
    }


def test_every_district_has_one_responsible_authority_in_office(directory: Directory) -> None:
    in_office = set(directory.all(TODAY))
    assert len(directory.districts) >= 296
    assert {directory.responsible_for(code, TODAY) for code in directory.districts} == in_office


def test_every_authority_is_found_by_its_own_code(directory: Directory) -> None:
    assert all(directory.by_gss(row.gss, TODAY) is row for row in directory.all(TODAY))


def test_a_shire_district_answers_to_its_county(directory: Directory) -> None:
    county = directory.responsible_for("E07000209", TODAY)
    assert county is not None
    assert (county.gss, county.name) == ("E10000030", "Surrey")


@pytest.mark.parametrize(("old", "new"), [("E08000016", "E08000038"), ("E08000019", "E08000039")])
@pytest.mark.parametrize("on", [BEFORE, AFTER])
def test_a_body_is_found_by_its_old_and_its_new_code_on_both_sides_of_the_change(
    directory: Directory, old: str, new: str, on: date
) -> None:
    expected = old if on == BEFORE else new
    for code in (old, new):
        named, responsible = directory.by_gss(code, on), directory.responsible_for(code, on)
        assert named is responsible
        assert named is not None
        assert named.gss == expected


def test_a_dissolved_district_passes_to_the_authority_that_took_over(directory: Directory) -> None:
    before, after = (directory.responsible_for("E07000026", on) for on in (date(2023, 3, 31), date(2023, 4, 1)))
    assert before is not None
    assert after is not None
    assert (before.name, after.name) == ("Cumbria", "Cumberland")


def test_a_dissolved_county_is_nobody_after_its_last_day(directory: Directory) -> None:
    assert directory.by_gss("E10000006", date(2023, 3, 31)) is not None
    assert directory.by_gss("E10000006", date(2023, 4, 1)) is None


@pytest.mark.parametrize(
    "code", ["W06000015", "S12000036", "N09000003", "L93000001", "M83000003", "E92000001", "E99999999", "", "nonsense"]
)
def test_a_place_outside_england_has_no_responsible_authority(directory: Directory, code: str) -> None:
    assert directory.responsible_for(code, TODAY) is None
    assert directory.by_gss(code, TODAY) is None


def test_no_dfe_code_is_taken_for_an_ods_code(directory: Directory) -> None:
    assert directory.by_ods("808", TODAY) is None


def test_an_authority_with_an_ods_code_is_found_by_it() -> None:
    row = Authority("E06000004", "808", "Stockton-on-Tees", "North East", "9ZZ", None, None)
    assert Directory.of("1", [row], []).by_ods("9ZZ", TODAY) is row


def test_a_county_may_be_divided_on_a_future_day() -> None:
    vesting = date(2027, 4, 1)
    last = date(2027, 3, 31)
    county = Authority("E10000030", "936", "Surrey", "South East", None, None, last)
    east = Authority("E06999998", "998", "East", "South East", None, vesting, None)
    west = Authority("E06999999", "999", "West", "South East", None, vesting, None)
    areas = [
        District("E07000207", "Elmbridge", "936", None, last),
        District("E07000207", "Elmbridge", "998", vesting, None),
        District("E07000209", "Guildford", "936", None, last),
        District("E07000209", "Guildford", "999", vesting, None),
    ]
    directory = Directory.of("1", [county, east, west], areas)
    assert check(directory) == []
    assert [directory.responsible_for(code, last) for code in ("E07000207", "E07000209")] == [county, county]
    assert [directory.responsible_for(code, vesting) for code in ("E07000207", "E07000209")] == [east, west]
    assert directory.by_gss("E10000030", vesting) is None


def test_the_packaged_directory_has_no_problems() -> None:
    assert check() == []


def test_the_check_finds_each_kind_of_mistake() -> None:
    sound = Authority("E06000004", "808", "Stockton-on-Tees", "North East", "9ZZ", None, None)
    area = District("E06000004", "Stockton-on-Tees", "808", None, None)

    def whats(authorities: list[Authority], districts: list[District]) -> set[str]:
        return {problem.what for problem in check(Directory.of("1", authorities, districts))}

    assert whats([sound], [area]) == set()
    assert "has a malformed code" in whats([replace(sound, gss="E6")], [])
    assert "belongs to two bodies" in whats([sound, replace(sound, dfe_code="809")], [])
    assert "shares its ODS code with another body" in whats([sound, replace(sound, gss="E06000001", dfe_code="805")], [])
    assert "is in force twice on the same day" in whats([sound, sound], [area])
    assert "ends before it begins" in whats([replace(sound, valid_from=AFTER, valid_to=BEFORE)], [])
    assert "names a body that is not in the directory" in whats([sound], [replace(area, dfe_code="999")])
    assert "has no responsible authority on 2025-05-01" in whats([sound], [replace(area, valid_to=BEFORE)])
