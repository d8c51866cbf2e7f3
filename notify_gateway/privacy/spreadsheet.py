# SPDX-License-Identifier: MIT
"""Spreadsheets as CSV (RFC 4180) that no program reads as formulas: the one way in which this service writes them (and ``workbook.py``)."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from notify_gateway.privacy.sheet import is_shown

_BYTE_ORDER_MARK = "\ufeff"
_FORMULA_STARTS = frozenset("=+-@|%")


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return a line of column names and one for each row, every cell quoted, in UTF-8 with a byte order mark, lines ended by CRLF.

    With the mark, spreadsheets read it as UTF-8 without asking. A row without a column has an empty cell there.
    """
    return csv_head(columns) + csv_rows(columns, rows)


def csv_head(columns: Sequence[str]) -> bytes:
    """Return how such a file begins: the mark, and the line of column names."""
    return _BYTE_ORDER_MARK.encode() + _lines([columns])


def csv_rows(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return the lines of further rows; a file may be made of several such parts."""
    return _lines([row.get(column, "") for column in columns] for row in rows)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(text) for text in row] for row in rows)
    return file.getvalue().encode()


def cell(text: str) -> str:
    """Return ``text`` so that no spreadsheet program reads it as a formula (OWASP, CSV injection), whatever blanks stand before it.

    What would start a formula is preceded by an apostrophe; what cannot be shown is left out.
    """
    if text.isascii() and text.isprintable():  # nearly all cells, of which there may be hundreds of thousands
        return f"'{text}" if text.lstrip()[:1] in _FORMULA_STARTS else text
    shown = "".join(character for character in text if character in "\t\r\n" or is_shown(character))
    begun = next((shown[place:] for place, character in enumerate(shown) if not _is_blank(character)), "")
    # As it stands, too: what follows may make another character of the first in the normal form alone.
    starts = {begun[:1], unicodedata.normalize("NFKC", begun)[:1]}
    return f"'{shown}" if not starts.isdisjoint(_FORMULA_STARTS) or shown[:1] in ("\t", "\r", "\n") else shown


def _is_blank(character: str) -> bool:
    """Tell what nobody sees: blanks, and marks without a width."""
    return character.isspace() or unicodedata.category(character) == "Cf"
