# SPDX-License-Identifier: MIT
"""What of the inbox is asked for, in its address and back: bounded codes and days, nothing that identifies anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request

from notify_gateway.domain.casework import Sort, Status, Tab
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.use_cases.inbox.read import Filters
from notify_gateway.web.forms import an_id, member, whole

MOST_QUERY: Final = 2_000
MOST_PAGE: Final = 10_000
OLDEST: Final = 6
_REFERENCE = re.compile(r"[0-9A-Z-]{1,20}")
_NEED = re.compile(r"[A-Za-z-]{1,60}")
_ODS = re.compile(r"[0-9A-Z]{3,10}")


def asked(request: Request) -> tuple[Filters, int]:
    """Return what the address asks for, and which page of it; raises ``Refused`` for what no page of ours asks."""
    if len(request.url.query) > MOST_QUERY:
        raise Refused(Issue(Code.PARAMETER_INVALID))
    given = {name: value.strip() for name, value in request.query_params.items()}
    many = {name: [each for each in request.query_params.getlist(name) if each] for name in ("status",)}
    page = whole(given["page"], MOST_PAGE) if given.get("page") else 1
    return filters_of(given, many), max(1, page)


def filters_of(given: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> Filters:
    """Return the filters; an empty value asks for nothing. Raises ``Refused`` for a value that none can have."""
    sort, order = given.get("sort", ""), given.get("order", "")
    if order not in ("", "ascending", "descending"):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return Filters(
        tab=member(Tab, given["tab"]) if given.get("tab") else Tab.TO_DO,
        reference=_fitting(_REFERENCE, given.get("reference", "").upper()),
        status=frozenset(member(Status, each) for each in many.get("status", ())),
        need=_fitting(_NEED, given.get("need", "")),
        age_from=whole(given["age_from"], OLDEST) if given.get("age_from") else None,
        age_to=whole(given["age_to"], OLDEST) if given.get("age_to") else None,
        sender=_fitting(_ODS, given.get("sender", "").upper()),
        officer=an_id(given["officer"]) if given.get("officer") else None,
        received_from=_day(given.get("received_from", "")),
        received_to=_day(given.get("received_to", "")),
        late=given.get("late") == "yes",
        new=given.get("new") == "yes",
        sort=member(Sort, sort) if sort else None,
        descending=order == "descending",
    )


def fields_of(filters: Filters) -> list[tuple[str, str]]:
    """Return what asks for these in an address or a form, with the tab and the order."""
    values: list[tuple[str, object]] = [
        ("tab", filters.tab.value if filters.tab is not Tab.TO_DO else None),
        ("reference", filters.reference),
        *(("status", each.value) for each in sorted(filters.status)),
        ("need", filters.need),
        ("age_from", filters.age_from),
        ("age_to", filters.age_to),
        ("sender", filters.sender),
        ("officer", filters.officer),
        ("received_from", filters.received_from),
        ("received_to", filters.received_to),
        ("late", "yes" if filters.late else None),
        ("new", "yes" if filters.new else None),
        ("sort", filters.sort.value if filters.sort else None),
        ("order", "descending" if filters.descending else None),
    ]
    return [(name, str(value)) for name, value in values if value is not None]


def address(filters: Filters, page: int = 1, path: str = "/inbox") -> str:
    """Return the address of a page of the inbox."""
    fields = fields_of(filters) + ([("page", str(page))] if page > 1 else [])
    return f"{path}?{urlencode(fields)}" if fields else path


def cleared(filters: Filters) -> Filters:
    """Return the same list, unfiltered."""
    return Filters(tab=filters.tab, sort=filters.sort, descending=filters.descending)


def without(filters: Filters, name: str, value: object = None) -> Filters:
    """Return the filters without one of them; of several statuses only the one that is named goes."""
    if name == "status":
        return replace(filters, status=filters.status - {value})
    nothing: dict[str, Any] = {name: False if name in ("late", "new") else None}
    return replace(filters, **nothing)


def _fitting(form: re.Pattern[str], text: str) -> str | None:
    if text and form.fullmatch(text) is None:
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return text or None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None
