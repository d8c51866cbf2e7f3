# SPDX-License-Identifier: MIT
"""The rows of the list on the screen, all its pages, as a file: CSV for systems, a workbook for people."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.api.streams import ExportResponse
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.policy import Act
from notify_gateway.use_cases.inbox import read
from notify_gateway.use_cases.inbox.download import Medium, download
from notify_gateway.use_cases.inbox.read import Filters
from notify_gateway.web.entrance.door import Visit, visitor
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.asked import asked
from notify_gateway.web.inbox.desk import gateway_of
from notify_gateway.web.inbox.filter_presenter import filter_box

router = APIRouter(tags=["Inbox"])

MEDIA: Final = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@router.get("/inbox/rows.csv", response_class=Response)
async def download_csv(request: Request) -> Response:
    """Return the rows as CSV: UTF-8 with a byte order mark, ISO dates, no cell a formula, no identity."""
    return await _rows(request, "csv")


@router.get("/inbox/rows.xlsx", response_class=Response)
async def download_workbook(request: Request) -> Response:
    """Return the rows as a workbook: a sheet that says what, when, for which filters and by whom, then the rows with real days."""
    return await _rows(request, "xlsx")


async def _rows(request: Request, medium: Medium) -> Response:
    visit = await visitor(request, Act.DOWNLOAD)
    filters, _ = asked(request)
    told = await asyncio.to_thread(_told, request, visit, filters)
    made = partial(download, gateway_of(request), by=visit.person, filters=filters, medium=medium, told=told)
    export = await asyncio.to_thread(made)
    today = london_day(gateway_of(request).clock.now())
    headers = {"Content-Disposition": f'attachment; filename="notifications-{today.isoformat()}.{medium}"'}
    return ExportResponse(export, media_type=MEDIA[medium], lines=False, headers=headers)


def _told(request: Request, visit: Visit, filters: Filters) -> list[str]:
    """Return what the filters are called on the screen."""
    gateway = gateway_of(request)
    found = read.list_cases(gateway, visit.person, filters)
    box = filter_box(found, london_day(gateway.clock.now()))
    return [f"List: {words.TABS[filters.tab]}", *(each.words for each in box.chosen)]
