# SPDX-License-Identifier: MIT
"""The catalogue of errors for people and machines: ``/errors``, a page for each code, ``/errors.json``.

Whatever is pasted into the search is read for codes and forgotten; only codes ever reach an address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.params import Query

from notify_gateway.api.http import json_response, problem, read_body, require_content_type
from notify_gateway.api.samples import samples
from notify_gateway.domain.catalogue import Code, Entry, all_entries, entry, families, family_of
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.web.rendering import HTML, render, show

router = APIRouter(tags=["Pages"])

FORM = "application/x-www-form-urlencoded"
MOST_PASTED = 64 * 1024
MOST_RELATED = 6
RETRY = {"yes": "may succeed later", "no": "only after a change"}
_CODE = re.compile(r"NG-[1-9]\d{3}(?!\d)", re.IGNORECASE)
_KNOWN = re.compile(r"NG-[1-9]\d{3}")


@dataclass(frozen=True, slots=True)
class Sample:
    """What stands in a message that provokes an error, and in a good one."""

    place: str
    wrong: str
    right: str


@router.get("/errors", response_class=Response)
async def list_errors(family: str = "", retry: str = "", code: list[str] = Query([])) -> Response:  # type: ignore[assignment]  # noqa: B008
    """List the catalogue of errors, all of it or by family, by whether a repeat helps, or the codes that were asked for."""
    if family not in ("", *families()) or retry not in ("", *RETRY) or not all(_KNOWN.fullmatch(each) for each in code):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    found = [
        item
        for item in all_entries()
        if (not family or family_of(item.code) == family)
        and (not retry or item.retry == (retry == "yes"))
        and (not code or item.code.value in code)
    ]
    return _list(found, family=family, retry=retry, asked=len(code))


@router.post("/errors", response_class=Response)
async def find_errors(request: Request) -> Response:
    """Find the codes in a pasted error: its page for one, the list for several. What was pasted is not kept and reaches no address."""
    require_content_type(request, FORM)
    pasted = (await read_body(request, MOST_PASTED)).decode("utf-8", "replace")
    found = [code for code in dict.fromkeys(match.upper() for match in _CODE.findall(pasted)) if code in _codes()]
    if not found:
        return _list(all_entries(), nothing_found=True)
    address = f"/errors/{found[0]}" if len(found) == 1 else "/errors?" + urlencode([("code", code) for code in found])
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": address})


@router.get("/errors.json", response_class=Response)
async def list_errors_for_machines() -> Response:
    """Return the catalogue of errors as JSON."""
    return json_response({"errors": [_for_machines(item) for item in all_entries()]})


@router.get("/errors/{code}", response_class=Response)
async def show_error(code: str) -> Response:
    """Explain one error: why it is one, how to mend it, how it looks."""
    known = code.upper()
    if known not in _codes():
        return show("no_such_error.html", status=404)
    return Response(_page(known), media_type=HTML)


def _list(found: Sequence[Entry], *, family: str = "", retry: str = "", asked: int = 0, nothing_found: bool = False) -> Response:
    by_family = [(name, [item for item in found if family_of(item.code) == name]) for name in families()]
    return show(
        "errors.html",
        groups=[(name, items) for name, items in by_family if items],
        count=len(found),
        families=families(),
        chosen_family=family,
        retries=RETRY,
        chosen_retry=retry,
        asked=asked,
        nothing_found=nothing_found,
    )


@cache
def _page(code: str) -> bytes:
    known = entry(code)
    sample: dict[str, Any] = samples()["errors"].get(code, {})
    return render(
        "error.html",
        item=known,
        family=family_of(code),
        phrase=HTTPStatus(known.status).phrase,
        sample=Sample(sample["place"], sample["wrong"], sample["right"]) if "wrong" in sample else None,
        cases=sample.get("cases", []),
        outcome=_pretty(operation_outcome([Issue(code, sample.get("place"))])),
        problem=_pretty(problem(known)),
        related=related(known),
    )


def related(known: Entry) -> list[Entry]:
    """Return the nearest codes of the family: first those that FHIR classes the same, then the neighbours."""
    others = [item for item in all_entries() if item is not known and family_of(item.code) == family_of(known.code)]
    distance = {item.code: abs(int(item.code[3:]) - int(known.code[3:])) for item in others}
    nearest = sorted(others, key=lambda item: (item.issue != known.issue, distance[item.code]))[:MOST_RELATED]
    return sorted(nearest, key=lambda item: item.code)


def _for_machines(item: Entry) -> dict[str, object]:
    return {
        "code": item.code.value,
        "title": item.title,
        "why": item.why,
        "fix": item.fix,
        "retry": item.retry,
        "status": item.status,
        "issue": item.issue,
        "bars": item.rec,
        "family": family_of(item.code),
        "since": item.since,
        "page": f"/errors/{item.code.value}",
    }


def _pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


@cache
def _codes() -> frozenset[str]:
    return frozenset(item.code.value for item in all_entries())
