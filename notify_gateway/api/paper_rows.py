# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: rows as files, and paper. People are told on a page what is refused, machines as everywhere."""

from __future__ import annotations

from notify_gateway.api.inbox_rows import CODES, FILTERS, FIRST, FORM, REFERENCE, TEXT
from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.api.schemas import Schema
from notify_gateway.domain.catalogue import Code

ASKED = CODES | {422: (Code.ROWS_TOO_MANY, Code.PACK_SIZE), 503: (Code.PAPER_NOT_MADE,)}
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAMED = ("Content-Disposition",)
Schemas = dict[str, Schema]
NONE: Schemas = {}
CASES: Schemas = {"case": TEXT}
LISTED = dict.fromkeys((*FILTERS, "late", "new", "sort", "order", "page"), TEXT)


def _file(description: str, media: str, *more: int, parameters: Schemas = NONE, query: Schemas = NONE) -> Endpoint:
    answers = {200: Answer(description, media=media, headers=NAMED), 303: FIRST}
    return Endpoint("problem", answers, (401, 403, *more), codes=ASKED, parameters=parameters, query=query)


def _page(description: str, *more: int, parameters: Schemas = NONE, query: Schemas = NONE) -> Endpoint:
    answers = {200: Answer(description, media="text/html"), 303: FIRST}
    return Endpoint("problem", answers, (401, 403, *more), codes=ASKED, parameters=parameters, query=query)


_CASE = "/notifications/{reference}"
PAPER = {
    ("GET", "/inbox/rows.csv"): _file("The rows, without identity.", "text/csv", 400, 422, query=LISTED),
    ("GET", "/inbox/rows.xlsx"): _file("The rows, without identity.", XLSX, 400, 422, query=LISTED),
    ("POST", "/inbox/panel"): Endpoint(
        "problem",
        {303: Answer("To the pack of what was ticked.", media=None, headers=("Location",))},
        (400, 401, 403, 408, 413, 415, 422),
        codes=ASKED,
        body=Body("OperatorForm", FORM),
    ),
    ("GET", "/inbox/panel"): _page("A pack for a panel, without identity.", 400, 404, 422, query=CASES),
    ("GET", "/inbox/panel.pdf"): _file("The pack as PDF/UA.", PDF, 400, 404, 422, 503, query=CASES),
    ("GET", f"{_CASE}/print"): _page("The notification on one sheet, without identity.", 404, parameters=REFERENCE),
    ("GET", f"{_CASE}/notification.pdf"): _file("The sheet as PDF/UA.", PDF, 404, 503, parameters=REFERENCE),
    ("GET", f"{_CASE}/parent-copy"): _page("A copy for the parent, without identity.", 404, parameters=REFERENCE),
    ("GET", f"{_CASE}/parent-copy.pdf"): _file("The parent's copy as PDF/UA.", PDF, 404, 503, parameters=REFERENCE),
}
