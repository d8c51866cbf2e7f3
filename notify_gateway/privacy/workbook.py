# SPDX-License-Identifier: MIT
"""Workbooks (XLSX, ISO/IEC 29500) in which nothing is a formula or a link: a sheet that says what it is, then the rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import xlsxwriter

from notify_gateway.privacy.spreadsheet import cell

Value: TypeAlias = str | int | date | None
_A4: Final = 9
_NOTHING_BUT_TEXT: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_HEADING: Final = {"bold": True, "bg_color": "#0b4f52", "font_color": "#ffffff", "text_wrap": True, "valign": "vcenter"}
_BODY: Final = {"valign": "top", "text_wrap": True}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, how wide it is in characters, and what stands in it."""

    name: str
    width: int
    kind: Literal["text", "number", "day"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The first sheet: what this is, in labelled lines; ``made_at`` is without a time zone, for workbooks know none."""

    title: str
    lines: Sequence[tuple[str, str]]
    made_at: datetime


def write_workbook(path: Path, *, about: About, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> None:
    """Write the workbook; ``name`` is that of the sheet with the rows. One row is held in memory at a time, and days are real days.

    No cell can become a formula, also when the rows are saved as CSV later: see ``spreadsheet.cell``.
    """
    folder = str(path.parent)
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": folder, **_NOTHING_BUT_TEXT}) as book:
        book.set_properties({"title": about.title, "created": about.made_at})
        _write_about(book, about, name)
        _write_rows(book, name, columns, rows)


def _write_about(book: Any, about: About, name: str) -> None:
    sheet = book.add_worksheet("About")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    sheet.set_paper(_A4)
    sheet.write_string(0, 0, cell(about.title), book.add_format({"bold": True, "font_size": 16, "font_color": "#0b4f52"}))
    label, text = book.add_format({**_BODY, "bold": True}), book.add_format(_BODY)
    for place, (what, words) in enumerate([*about.lines, ("Rows", f"They are on the sheet {name}.")], start=2):
        sheet.write_string(place, 0, cell(what), label)
        sheet.write_string(place, 1, cell(words), text)


def _write_rows(book: Any, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> None:
    sheet = book.add_worksheet(name)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    heading, text = book.add_format(_HEADING), book.add_format(_BODY)
    day = book.add_format({**_BODY, "num_format": "d mmm yyyy", "align": "left"})
    for place, column in enumerate(columns):
        sheet.write_string(0, place, cell(column.name), heading)
    last = 0
    for last, row in enumerate(rows, start=1):
        for place, (column, value) in enumerate(zip(columns, row, strict=True)):
            _write(sheet, last, place, value, day if column.kind == "day" else text)
    sheet.autofilter(0, 0, last, len(columns) - 1)


def _write(sheet: Any, row: int, place: int, value: Value, form: Any) -> None:
    if value is None or value == "":
        sheet.write_blank(row, place, None, form)
    elif isinstance(value, str):
        sheet.write_string(row, place, cell(value), form)
    elif isinstance(value, date):
        sheet.write_datetime(row, place, value, form)
    else:
        sheet.write_number(row, place, value, form)
