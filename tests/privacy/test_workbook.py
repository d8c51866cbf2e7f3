# SPDX-License-Identifier: MIT
"""Workbooks and CSV hold text, numbers and days, and never a formula or a link, whatever is written into them."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from notify_gateway.privacy.spreadsheet import as_csv, cell, csv_head, csv_rows
from notify_gateway.privacy.workbook import About, Column, write_workbook

DANGEROUS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "|calc",
    "%0A",
    "  =1+1",
    "\t=1+1",
    "\r\n=1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "=\u0338cmd",
    "\u00a0=1",
    '=HYPERLINK("http://x.example")',
    "\u202e=1",
    "\x00=1",
)
MADE_AT = datetime.fromisoformat("2026-11-22T09:30")
HARMLESS = ("", "Ann O’Neill", "http://x.example", "1", "Zoë = well", "{=1}", "a\nb", "‘quoted’")


@pytest.mark.parametrize("number", range(len(DANGEROUS)))
def test_no_text_starts_a_formula(number: int) -> None:
    written = cell(DANGEROUS[number])
    assert written.startswith("'"), ascii(written)


def test_what_is_harmless_stays_as_it_is_and_a_file_in_parts_is_the_file() -> None:
    assert [cell(text) for text in HARMLESS] == list(HARMLESS)
    rows = [{"a": text, "b": "x"} for text in (*HARMLESS, *DANGEROUS)]
    assert csv_head(["a", "b"]) + csv_rows(["a", "b"], rows[:5]) + csv_rows(["a", "b"], rows[5:]) == as_csv(["a", "b"], rows)
    read = list(csv.reader(io.StringIO(as_csv(["a", "b"], rows).decode("utf-8-sig"), newline="")))
    assert [line[0] for line in read[1:]] == [cell(row["a"]) for row in rows]


def test_a_workbook_has_text_numbers_and_days_and_nothing_that_reckons_or_leads_elsewhere(tmp_path: Path) -> None:
    texts = [*HARMLESS[1:], *DANGEROUS[:8]]
    about = About(title="=Rows", lines=[("By", "=cmd()"), ("Link", "http://x.example")], made_at=MADE_AT)
    columns = (Column("text", 20), Column("number", 8, "number"), Column("day", 12, "day"))
    write_workbook(tmp_path / "a.xlsx", about=about, name="Rows", columns=columns, rows=((text, 7, date(2026, 11, 22)) for text in texts))
    book = CalamineWorkbook.from_path(tmp_path / "a.xlsx")
    head, *rows = book.get_sheet_by_name("Rows").to_python()
    assert head == ["text", "number", "day"]
    # What XML cannot hold as it is, the end of a line among it, comes back in another form; it is text all the same.
    assert [str(row[0]).split() for row in rows] == [cell(text).split() for text in texts]
    assert {(row[1], row[2]) for row in rows} == {(7, date(2026, 11, 22))}
    assert ["By", "'=cmd()"] in book.get_sheet_by_name("About").to_python()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert not [name for name in parts if "externalLink" in name or "vba" in name.lower() or "/_rels/sheet" in name]
    assert b"<f>" not in b"".join(parts.values())
    assert b"<hyperlink" not in b"".join(parts.values())
    assert b'state="frozen"' in parts["xl/worksheets/sheet2.xml"]
    assert list(tmp_path.iterdir()) == [tmp_path / "a.xlsx"]
