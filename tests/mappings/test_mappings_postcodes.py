# SPDX-License-Identifier: MIT
"""The postcode table: sources of many editions, hostile rows, and files that are not what was written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.postcode_format import HEADER, POINTER
from mappings.postcodes import (
    BadRow,
    Country,
    Edition,
    PostcodeArea,
    PostcodeTable,
    SourceUnusable,
    TableDamaged,
    TableMissing,
    compile_table,
    demonstration_source,
    normalise,
)

LETTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = st.sampled_from("0123456789")
OUTWARD = st.one_of(
    st.builds(str.__add__, LETTERS, DIGITS),
    st.builds("".join, st.tuples(LETTERS, LETTERS, DIGITS)),
    st.builds("".join, st.tuples(LETTERS, DIGITS, DIGITS)),
    st.builds("".join, st.tuples(LETTERS, LETTERS, DIGITS, st.one_of(LETTERS, DIGITS))),
)
INWARD = st.builds("".join, st.tuples(DIGITS, LETTERS, LETTERS))
POSTCODES = st.builds("{} {}".format, OUTWARD, INWARD)
DISTRICTS = st.sampled_from(["E06000004", "E07000209", "W06000015", "S12000036", "N09000003", "L99999999", "M99999999"])


def compiled(folder: Path, text: str, *, encoding: str = "utf-8", name: str = "ONSPD_AUG_2025_UK.csv") -> tuple[Edition, PostcodeTable]:
    source = folder / name
    source.write_text(text, encoding=encoding, newline="")
    return compile_table(source, folder), PostcodeTable.open(folder)


def found(table: PostcodeTable, postcode: str) -> PostcodeArea:
    area = table.lookup(postcode)
    assert area is not None
    return area


def many(good: int, *others: str) -> str:
    """Return a source of ``good`` good rows, then ``others``; the first of those stands in line ``good + 2``."""
    rows = [f"TS{number // 10} {number % 10}AA,,E06000004" for number in range(10, 10 + good)]
    return "\n".join(["pcds,doterm,oslaua", *rows, *others, ""])


@settings(max_examples=60, deadline=None)
@given(entries=st.dictionaries(POSTCODES, st.tuples(DISTRICTS, st.booleans()), min_size=1), absent=POSTCODES)
def test_a_compiled_table_answers_like_a_dictionary(entries: dict[str, tuple[str, bool]], absent: str) -> None:
    rows = [f"{postcode},{'202001' if gone else ''},{district}" for postcode, (district, gone) in entries.items()]
    with tempfile.TemporaryDirectory() as folder:
        edition, table = compiled(Path(folder), "\n".join(["pcds,doterm,laua", *rows]))
        assert edition.count == table.count == len(entries)
        for postcode, (district, gone) in entries.items():
            area = found(table, postcode)
            assert (area.district, area.terminated, area.edition) == (district, gone, "ONSPD_AUG_2025_UK")
        assert (table.lookup(absent) is None) == (absent not in entries)


@pytest.mark.parametrize(
    "heading",
    [
        "pcd,pcd2,pcds,dointr,doterm,oscty,ced,oslaua,osward,ctry",
        "pcd,pcd2,pcds,dointr,doterm,oseast1m,osnrth1m,laua,ward,ctry",
        "pcd7,pcd8,pcds,dointr,doterm,lad21cd,lad23cd,wd23cd,ctry23cd",
        "pcd7,pcd8,pcds,dointr,doterm,usrtypind,lad25cd,wd25cd,ctry25cd",
        "PCD7,PCD8,PCDS,DOINTR,DOTERM,USRTYPIND,LAD26CD,WD26CD,CTRY26CD",
        "pcd7,pcd8,dointr,doterm,usertype,oa11cd,ladcd,ladnm",
        "pcd,doterm,laua",
        '"pcd2"," doterm ","laua"',
    ],
)
def test_the_columns_of_every_edition_are_recognised(tmp_path: Path, heading: str) -> None:
    values = {
        **dict.fromkeys(["pcd", "pcd7"], "TS181LD"),
        **dict.fromkeys(["pcd2", "pcd8", "pcds"], "TS18 1LD"),
        **dict.fromkeys(["oslaua", "laua", "ladcd", "lad23cd", "lad25cd", "lad26cd"], "E06000004"),
        **dict.fromkeys(["ctry", "ctry23cd", "ctry25cd", "ctry26cd"], "E92000001"),
        "doterm": "",
        "lad21cd": "E06000001",
    }
    row = ",".join(values.get(name.strip('" ').lower(), "x") for name in heading.split(","))
    _, table = compiled(tmp_path, f"{heading}\r\n{row}\r\n")
    assert found(table, "TS18 1LD") == PostcodeArea("E06000004", Country.ENGLAND, False, "ONSPD_AUG_2025_UK")


@pytest.mark.parametrize(
    ("heading", "named"),
    [
        ("pcds,doterm", ["district", "oslaua, laua, lad25cd"]),
        ("laua,doterm", ["postcode", "pcds, pcd7"]),
        ("pcds,laua", ["date of termination", "doterm"]),
        ("", ["postcode", "district", "date of termination"]),
        ('"pcds,doterm', ["postcode", "district", "date of termination"]),
    ],
)
def test_a_source_without_a_needed_column_is_refused_by_name(tmp_path: Path, heading: str, named: list[str]) -> None:
    with pytest.raises(SourceUnusable) as refusal:
        compiled(tmp_path, heading + "\n")
    assert all(part in str(refusal.value) for part in named)
    assert not list(tmp_path.glob("*.table"))


def test_a_byte_order_mark_and_quotation_marks_are_no_hindrance(tmp_path: Path) -> None:
    _, table = compiled(tmp_path, '"pcds","doterm","oslaua"\r\n"TS18 1LD","","E06000004"\r\n', encoding="utf-8-sig")
    assert found(table, "TS18 1LD").district == "E06000004"


def test_another_encoding_is_refused_and_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(SourceUnusable):
        compiled(tmp_path, "pcds,doterm,oslaua\nTS18 1LD,,E06000004\n", encoding="utf-16")


def test_bad_rows_are_left_out_and_reported_by_line(tmp_path: Path) -> None:
    bad = ['"TS18 1LD,,E06000004', "TS18 1LD", "not one,,E06000004", "TS18 1LD,,00EF", "TS18 1\udcffLD,,E06000004"]
    source = tmp_path / "source.csv"
    text = many(600, *bad, "", "x" * 200_000, "TS18 1LD,,E06000004")
    source.write_bytes(text.encode("utf-8", "surrogateescape"))
    edition = compile_table(source, tmp_path)
    assert edition.reports == (
        BadRow(602, "has unbalanced quotation marks"),
        BadRow(603, "has 1 cells where the heading has 3"),
        BadRow(604, "has no valid postcode"),
        BadRow(605, "has no valid district code"),
        BadRow(606, "has no valid postcode"),
        BadRow(608, "is too long"),
    )
    assert (edition.bad_rows, edition.rows, edition.count) == (6, 607, 601)
    assert found(PostcodeTable.open(tmp_path), "TS18 1LD").district == "E06000004"


def test_one_bad_row_in_a_hundred_is_borne_and_one_more_is_not(tmp_path: Path) -> None:
    edition, _ = compiled(tmp_path, many(198, "bad", "bad"))
    assert edition.bad_rows == 2
    with pytest.raises(SourceUnusable, match=r"3 of the 200 rows of next.csv cannot be read.*line 199 has 1 cells"):
        compiled(tmp_path, many(197, "bad", "bad", "bad"), name="next.csv")
    assert PostcodeTable.open(tmp_path).edition == "ONSPD_AUG_2025_UK"


def test_a_refusal_repeats_no_value_of_the_source(tmp_path: Path) -> None:
    with pytest.raises(SourceUnusable) as refusal:
        compiled(tmp_path, "pcds,doterm,oslaua\nSECRET,,E06000004\nTS18 1LD,,SECRET\n")
    assert "SECRET" not in str(refusal.value)


def test_a_source_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnusable, match="places no postcode"):
        compiled(tmp_path, "pcds,doterm,oslaua\n")


def test_a_source_with_more_districts_than_there_can_be_is_refused(tmp_path: Path) -> None:
    rows = (f"TS18 1LD,,E{number:08}\n" for number in range(2**16 + 1))
    with pytest.raises(SourceUnusable, match="more than 65536 districts"):
        compiled(tmp_path, "pcds,doterm,oslaua\n" + "".join(rows))


def test_a_terminated_postcode_is_kept_and_flagged_and_a_live_row_wins(tmp_path: Path) -> None:
    rows = ["TS18 1LD,200101,E06000001", "TS18 1LD,,E06000004", "TS18 1LD,200202,E06000002", "TS18 1LE,200101,E06000004"]
    edition, table = compiled(tmp_path, "\n".join(["pcds,doterm,oslaua", *rows]))
    assert (edition.count, edition.duplicates, edition.terminated) == (2, 2, 1)
    live, gone = found(table, "TS18 1LD"), found(table, "TS18 1LE")
    assert (live.district, live.terminated) == ("E06000004", False)
    assert gone.terminated


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("L93000001", "Channel Islands"),
        ("M83000003", "Isle of Man"),
        ("L99999999", "Channel Islands"),
        ("W92000004", "Wales"),
        ("S92000003", "Scotland"),
        ("N92000002", "Northern Ireland"),
        ("E92000001", "England"),
    ],
)
def test_pseudo_codes_tell_the_country(tmp_path: Path, code: str, country: str) -> None:
    _, table = compiled(tmp_path, f"pcds,doterm,oslaua,ctry\nTS18 1LD,,,{code}\nTS18 1LE,,{code},\n")
    assert found(table, "TS18 1LD").country == found(table, "TS18 1LE").country == country


def test_a_row_that_places_its_postcode_nowhere_is_counted_but_is_not_bad(tmp_path: Path) -> None:
    edition, table = compiled(tmp_path, "pcds,doterm,oslaua,ctry\nTS18 1LD,,,\nTS18 1LE,,E06000004,E92000001\n")
    assert (edition.unplaced, edition.bad_rows, edition.count) == (1, 0, 1)
    assert table.lookup("TS18 1LD") is None


@pytest.mark.parametrize("written", ["TS18 1LD", "ts181ld", " Ts18  1lD ", "TS18\u00a01LD", "t s 1 8 1 l d"])
def test_any_spacing_and_case_finds_the_postcode(tmp_path: Path, written: str) -> None:
    _, table = compiled(tmp_path, "pcds,doterm,oslaua\nTS18 1LD,,E06000004\n")
    assert found(table, written).district == "E06000004"
    assert normalise(written) == "TS18 1LD"


@pytest.mark.parametrize(
    "written", ["", "TS18", "TS18 1L", "TS18 1LDX", "1S18 1LD", "ＴＳ18 1LD", "TS1٨ 1LD", "' or 1=1", "x" * 10_000, "\0"]
)
def test_what_is_no_postcode_is_not_found(tmp_path: Path, written: str) -> None:
    _, table = compiled(tmp_path, "pcds,doterm,oslaua\nTS18 1LD,,E06000004\n")
    assert table.lookup(written) is None
    assert normalise(written) is None


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert once is None or normalise(once) == once


def test_the_edition_is_named_by_the_argument_or_the_file(tmp_path: Path) -> None:
    assert compile_table(demonstration_source(), tmp_path).name == "demonstration_postcodes"
    edition = compile_table(demonstration_source(), tmp_path, edition="ONSPD August 2025")
    assert edition.name == PostcodeTable.open(tmp_path).edition == "ONSPD-August-2025"
    assert edition.digest == PostcodeTable.open(tmp_path).digest


@pytest.mark.parametrize("name", ["", "../..", "x" * 65])
def test_an_edition_needs_a_name_that_a_file_can_bear(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="edition's name"):
        compile_table(demonstration_source(), tmp_path, edition=name)


def test_progress_is_told_for_reading_and_for_writing(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    compile_table(demonstration_source(), tmp_path, progress=lambda stage, count: told.append((stage, count)))
    assert told == [("reading", 8), ("writing", 8)]


def test_the_demonstration_has_the_five_authorities_and_a_place_in_each_other_country(tmp_path: Path) -> None:
    compile_table(demonstration_source(), tmp_path)
    table = PostcodeTable.open(tmp_path)
    districts = {postcode: found(table, postcode).district for postcode in ("TS24 8AY", "TS1 2QJ", "TS10 1RT", "TS18 1LD", "DL1 5QT")}
    assert list(districts.values()) == [f"E0600000{number}" for number in range(1, 6)]
    countries = [found(table, postcode).country.value for postcode in ("CF10 3ND", "EH99 1SP", "BT1 5GS")]
    assert countries == ["Wales", "Scotland", "Northern Ireland"]


def test_a_folder_without_a_table_says_so(tmp_path: Path) -> None:
    with pytest.raises(TableMissing, match="no compiled postcode table"):
        PostcodeTable.open(tmp_path)


def test_a_pointer_to_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    compile_table(demonstration_source(), tmp_path).path.unlink()
    with pytest.raises(TableMissing, match="which is not there"):
        PostcodeTable.open(tmp_path)


def changed_at(place: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: b"", "is empty"),
        (lambda content: content[: HEADER.size - 1], "too short"),
        (lambda content: content[:-1], "bytes long where"),
        (lambda content: content + b"\0", "bytes long where"),
        (lambda content: b"X" + content[1:], "is not a postcode table"),
        (changed_at(9), "compile it again"),
        (changed_at(20), "digest"),
        (changed_at(HEADER.size - 1), "digest"),
        (changed_at(HEADER.size), "digest"),
        (changed_at(-2), "digest"),
    ],
)
def test_a_damaged_table_is_refused_and_says_how(tmp_path: Path, damage: Callable[[bytes], bytes], said: str) -> None:
    path = compile_table(demonstration_source(), tmp_path).path
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(TableDamaged, match=said):
        PostcodeTable.open(tmp_path)


def test_a_reader_that_meets_a_damaged_edition_keeps_the_one_it_has(tmp_path: Path) -> None:
    compile_table(demonstration_source(), tmp_path, edition="sound")
    table = PostcodeTable.open(tmp_path)
    compile_table(demonstration_source(), tmp_path, edition="broken").path.write_bytes(b"broken" * 100)
    with pytest.raises(TableDamaged):
        table.reload_if_changed()
    assert found(table, "TS18 1LD").edition == "sound"
    (tmp_path / POINTER).unlink()
    with pytest.raises(TableMissing):
        table.reload_if_changed()
    assert table.edition == "sound"
