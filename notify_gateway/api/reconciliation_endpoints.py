# SPDX-License-Identifier: MIT
"""The daily reconciliation file, to each organisation its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import date

from fastapi import APIRouter, Request, Response

from notify_gateway.api.service import service
from notify_gateway.api.streams import ExportResponse
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.use_cases import reconcile
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, TRUST_SCOPE
from notify_gateway.use_cases.reconcile import Reconciliation

router = APIRouter(prefix="/reconciliation", tags=["Log"])

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@router.get("/{day}.csv", response_class=Response)
async def read_csv(request: Request, day: str) -> Response:
    """Return the file of a day as CSV, every cell quoted and none of them a formula.

    Its first column says what a line is: ``head`` and ``total`` have a name and a value, ``delivery`` has the columns behind them.
    """
    made = await _made(request, day)
    return ExportResponse(_Lines(made.as_csv()), media_type="text/csv; charset=utf-8")


@router.get("/{day}", response_class=Response)
async def read_json(request: Request, day: str) -> Response:
    """Return what the signed log says happened on a day in London to the caller's own deliveries, with the checkpoint that it rests on.

    One row for each delivery to which anything happened, and sums that balance. The same day under the same checkpoint is the same file.
    """
    made = await _made(request, day)
    return ExportResponse(_Lines(made.as_json()), media_type="application/json")


async def _made(request: Request, day: str) -> Reconciliation:
    parts = service(request)
    client = await parts.admit(request, TRUST_SCOPE, AUTHORITY_SCOPE)
    return await asyncio.to_thread(reconcile.reconcile, parts.gateway, organisation=client, day=_day(day))


class _Lines:
    """The chunks of a file, each of whole lines, one as a page; nothing is recorded of its end, for it discloses nothing new."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def page(self) -> list[bytes]:
        """Return the next chunk without the end of its last line, which the answer adds; nothing when there is no more."""
        chunk = next(self._chunks, None)
        return [] if chunk is None else [chunk.removesuffix(b"\n")]

    def end(self, *, whole: bool) -> None:
        """Do nothing."""


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise NotFound(Issue(Code.RECONCILIATION_DAY))
