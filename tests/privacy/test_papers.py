# SPDX-License-Identifier: MIT
"""The opened notification in words: on screen, in a spreadsheet, on paper."""

from __future__ import annotations

import csv
import io
import re
import zlib
from typing import Any

import pytest

from notify_gateway.domain.model import Routing
from notify_gateway.domain.section23 import Flag
from notify_gateway.privacy.disclosure import SCHEMA
from notify_gateway.privacy.opening import Opened, card_pdf, card_text, cards_csv, open_delivery
from notify_gateway.privacy.sheet import sheet_of
from notify_gateway.privacy.wording import BANNERS, NOT_SCANNED, PARENT_VIEWS, STRENGTHS
from tests.privacy.builders import CARD, STOCKTON, a_delivery, a_gateway_key, a_judgement, a_need, a_recipient, a_view

GATEWAY, KEY = a_gateway_key(), a_recipient()


def opened(card: dict[str, Any] | None = None, **view: Any) -> Opened:
    return open_delivery(a_delivery(GATEWAY, KEY.public(), card=card, view=a_view(**view)), KEY, GATEWAY.public())


def cells(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def named(name: str) -> dict[str, Any]:
    return {**CARD, "child": {**CARD["child"], "names": [{"name": name}]}}


def streams(pdf: bytes) -> bytes:
    """Return what is in the PDF, with its compressed streams opened."""
    found = [pdf]
    for start in re.finditer(rb"stream\r?\n", pdf):
        try:
            found.append(zlib.decompressobj().decompress(pdf[start.end() :]))
        except zlib.error:
            continue
    return b"\n".join(found)


def test_the_sheet_says_who_to_contact_what_and_when_in_that_order() -> None:
    headings = [section.heading for section in sheet_of(opened()).sections]
    assert headings == [
        "Who the child is",
        "Who to contact",
        "What the trust says",
        "In the trust's own words",
        "What the parent was told",
        "Who wrote to you",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Name:                   Zephyrine Quillfeather (official)",
        "Date of birth:          3 November 2022",
        "NHS number:             999 054 8609",
        "Address:                1 Canary Street, Stockton-on-Tees, TS18 1LD",
        "Language:               English (preferred)",
        "Telephone, e-mail:      +44 7700 900456 (phone, mobile)",
        "                        marigold@canary.example (email)",
        "The child has:          special educational needs and a disability",
        "Type of need:           Autistic spectrum disorder (from the trust's clinical code)",
        "Told of the opinion:    9 January 2026",
        "Offered a discussion:   12 January 2026",
        "Parent's view:          Agrees",
        "As the trust put it:    Autistic disorder (408856003)",
        "In their own words:     We would welcome help with talking. (12 January 2026)",
        "He lines up his toy trains and does not yet answer to his name. Hearing was tested and is good.",
        "Organisation:           Example Community NHS Trust",
        "Their number for this:  SN-2026-000123",
    ],
)
def test_the_text_says_it_in_plain_words(line: str) -> None:
    assert line in card_text(opened()).splitlines()


@pytest.mark.parametrize(("status", "shown"), [("01", False), ("02", True)])
def test_only_an_nhs_number_that_is_not_verified_is_remarked_on(status: str, shown: bool) -> None:
    card = {**CARD, "child": {**CARD["child"], "nhs_number_status": status}}
    assert ("NHS number status code:" in card_text(opened(card))) == shown


def test_a_card_that_holds_nothing_still_makes_a_sheet() -> None:
    assert "Opinion formed:         8 January 2026" in card_text(opened({}))
    assert card_pdf(opened({})).startswith(b"%PDF")


def test_an_ordinary_notification_is_one_page() -> None:
    flags = frozenset({Flag.CONTACT_SENSITIVELY.value, Flag.ADDRESS_RESTRICTED.value})
    assert b"/Type/Pages/Count 1/" in card_pdf(opened(judgement=a_judgement(flags=flags)))


def test_each_person_to_contact_stands_apart() -> None:
    contacts = next(section for section in sheet_of(opened()).sections if section.heading == "Who to contact")
    assert [group[0] for group in contacts.groups] == [("Name", ("Marigold Quillfeather",)), ("Name", ("Basil Quillfeather",))]


def test_what_the_card_holds_beyond_the_known_is_shown_last() -> None:
    sections = sheet_of(opened({**CARD, "agreed_support": ["A play group", {"name": "Portage", "since": "2025-11-01"}]})).sections
    assert sections[-1].heading == "Agreed support"
    assert sections[-1].groups[0] == (("", ("A play group",)),)


ENCLOSED = {
    "involvement": {"service": "Portage", "codes": [{"code": "x"}], "agreed_by": [{"name": "Marigold"}], "agreed_on": "2026-01-12"},
    "asq_3": [
        {"domain": "Gross motor", "month": 24, "score": 0, "on": "2026-01-08"},
        {"domain": "Communication", "month": 24, "score": "37.5"},
    ],
    "observations": [{"name": "Walks alone", "value": False, "on": "2026-01-08"}, {"notes": [{"words": "Seen at home."}]}],
    "attachments": [
        {"number": 1, "title": "Letter", "file_type": "PDF", "bytes": 120_009, "on": "2026-01-08", "description": "From the clinic"},
        {"number": 2, "kind": "Chart", "file_type": "PNG picture", "bytes": 8},
    ],
}


@pytest.mark.parametrize(
    "line",
    [
        "The agreement is to this request. The notification needed none and is not part of it.",
        "Service:                Portage",
        "Agreed by:              Marigold",
        "Agreed on:              12 January 2026",
        "Gross motor:            0 of 60 (24-month questionnaire, 8 January 2026)",
        "Communication:          37.5 of 60 (24-month questionnaire)",
        "Walks alone:            no (8 January 2026)",
        "Observation:            Seen at home.",
        "File 1:                 Letter (PDF, 117 KB, 8 January 2026)",
        "                        From the clinic",
        "File 2:                 Chart (Chart, PNG picture, 1 KB)",
    ],
)
def test_what_went_with_a_notification_is_said_in_plain_words(line: str) -> None:
    assert line in card_text(opened({**CARD, **ENCLOSED})).splitlines()


def test_whoever_gets_attachments_is_told_that_nobody_scanned_them() -> None:
    assert sheet_of(opened({**CARD, **ENCLOSED})).banners == (NOT_SCANNED,)
    assert sheet_of(opened()).banners == ()
    assert card_pdf(opened({**CARD, **ENCLOSED})).startswith(b"%PDF")


def test_banners_stand_for_every_published_flag_but_the_one_that_another_says() -> None:
    assert set(BANNERS) == set(SCHEMA["properties"]["flags"]["items"]["enum"]) - {"nhs-number-absent"}


def test_restricted_address_comes_before_contact_sensitively() -> None:
    flags = frozenset({Flag.CONTACT_SENSITIVELY.value, Flag.ADDRESS_RESTRICTED.value})
    titles = [title for title, _ in sheet_of(opened(judgement=a_judgement(flags=flags))).banners]
    assert titles == ["Restricted address", "Contact sensitively"]


def test_a_notification_that_the_trust_routed_says_so() -> None:
    assert "YOU WERE NAMED BY THE TRUST" in card_text(opened(routing=Routing(STOCKTON, "override", "2026-08")))


def test_every_published_code_has_words() -> None:
    need = SCHEMA["$defs"]["need"]["properties"]
    assert set(STRENGTHS) == set(need["strength"]["enum"]) - {None}
    assert set(PARENT_VIEWS) == set(SCHEMA["properties"]["parent_view"]["enum"])


def test_a_need_without_type_sends_the_reader_to_the_trusts_words() -> None:
    needs = [a_need(sen_type=None, area=None, strength=None, table_version=None), a_need(sen_type="ZZZ", strength=None)]
    text = card_text(opened(needs=needs))
    assert "read the trust's own words" in text
    assert " ZZZ\n" in text


def test_a_withdrawal_without_needs_still_makes_a_sheet() -> None:
    bare = opened(needs=(), judgement=a_judgement(opinion_formed_on=None))
    assert "Type of need" not in card_text(bare)
    assert card_pdf(bare).startswith(b"%PDF")


def test_absent_dates_are_said_to_be_not_stated() -> None:
    assert "Told of the opinion:    Not stated" in card_text(opened(judgement=a_judgement(informed_on=None)))


def test_lines_of_the_trusts_words_stay_lines() -> None:
    text = card_text(opened({**CARD, "summary": [{"words": "First.\r\n\nSecond."}]}))
    assert "First.\nSecond.\n" in text


def test_a_terminal_is_not_steered_by_a_message() -> None:
    text = card_text(opened(named("Zephyrine\x1b[2J\u202eQuill")))
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "start",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u00a0=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "|calc",
        "%0A=1",
        '=HYPERLINK("x")',
    ],
)
def test_no_cell_starts_a_formula(start: str) -> None:
    cell = cells(cards_csv([opened(named(start))]))[0]["card.child.names.1.name"]
    assert cell.startswith("'")
    assert cell[1:] == start


def test_no_heading_starts_a_formula() -> None:
    assert "'=1" not in cells(cards_csv([opened({**CARD, "=1": "x"})]))[0]
    assert all(name[0] not in "=+-@" for name in cells(cards_csv([opened({**CARD, "=1": "x"})]))[0])


@pytest.mark.parametrize("name", ["O'Brien, Zoë", 'Quill "Z" feather', "محمد", "李小龍", "a;b", "two\nlines", ""])
def test_every_other_text_comes_back_as_it_was(name: str) -> None:
    assert cells(cards_csv([opened(named(name))]))[0]["card.child.names.1.name"] == name


def test_a_control_character_is_left_out_of_a_cell() -> None:
    assert cells(cards_csv([opened(named("a\x00b\x07"))]))[0]["card.child.names.1.name"] == "ab"


def test_the_spreadsheet_has_a_byte_order_mark_and_one_row_each() -> None:
    content = cards_csv([opened(), opened({**CARD, "extra": "only here"})])
    assert content.startswith(b"\xef\xbb\xbf")
    rows = cells(content)
    assert [row["card.extra"] for row in rows] == ["", "only here"]
    assert {row["reference"] for row in rows} == {"SEN-7K2M9QXR-C"}
    assert rows[0]["card.carers.1.telecoms.1.value"] == "'+44 7700 900456"


def test_a_spreadsheet_of_nothing_has_its_headings() -> None:
    assert cards_csv([]).decode("utf-8-sig").startswith('"reference","notification_id"')


def test_the_pdf_is_tagged_titled_and_claims_pdf_ua() -> None:
    pdf = streams(card_pdf(opened()))
    assert pdf.startswith(b"%PDF-1.7")
    assert b"pdfuaid:part>1<" in pdf
    assert b"/MarkInfo" in pdf
    assert b"Section 23 notification SEN-7K2M9QXR-C" in pdf
    assert b"en-GB" in pdf


def test_the_pdf_holds_no_moment_of_making_so_that_two_are_alike() -> None:
    one = opened()
    assert card_pdf(one) == card_pdf(one)


@pytest.mark.parametrize(
    "name", ["#panic()", "*a* _b_ $x$", '"] #read("/etc/passwd")', "\\u{41}", "@ref <label>", "//", "= Heading", "` ``` "]
)
def test_markup_in_a_name_is_shown_and_never_evaluated(name: str) -> None:
    plain, marked = (streams(card_pdf(opened(named(each)))) for each in ("Zephyrine", name))
    assert marked.startswith(b"%PDF")
    assert marked.count(b"/H2") == plain.count(b"/H2")


@pytest.mark.parametrize("name", ["محمد بن", "李小龍", "👶", "\U0010ffff", "\x00\x07", "a\u202eb", "x" * 4000, "\ud800"])
def test_any_letters_make_a_pdf(name: str) -> None:
    assert card_pdf(opened(named(name))).startswith(b"%PDF")


def test_a_long_card_runs_over_pages() -> None:
    card = {**CARD, "summary": [{"words": "He lines up his toy trains. " * 400}]}
    assert b"/Type/Pages/Count 3/" in card_pdf(opened(card))
