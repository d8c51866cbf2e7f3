# SPDX-License-Identifier: MIT
"""Search parameters of Task, read from a form body or an address (FHIR R4 search: token, date with prefix, ``_count``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qsl

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import LONDON
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.model import BusinessIdentifier
from notify_gateway.use_cases.track import Changed

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 20
MOST_IDENTIFIERS = 50
MOST_PER_PAGE = 200
USUAL_PER_PAGE = 50
KNOWN = frozenset({"identifier", "_lastUpdated", "_count", "_page"})

_SEPARATOR = re.compile(r"(?<!\\),")
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\([\\,|$])")
_DATE = re.compile(r"(eq|ge|gt|le|lt|)(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2}))?")

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search asks for: notifications of these identifiers, or those that changed, or the next page of a search before."""

    identifiers: tuple[BusinessIdentifier, ...]
    changed: Changed
    page: str | None


def read_form(body: bytes) -> dict[str, list[str]]:
    """Return the fields of a form body; raises ``Refused`` for what is none, and for too many fields."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise _invalid() from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def read_search(fields: Fields) -> Asked:
    """Return what the fields ask for; raises ``Refused`` for a parameter that is not known, malformed, or at odds with another."""
    if not fields.keys() <= KNOWN:
        raise Refused(Issue(Code.PARAMETER_UNKNOWN))
    alone = {"identifier", "_page"} & fields.keys()
    if alone and len(fields) > 1:
        raise _invalid()
    identifiers = tuple(_token(text) for value in single(fields, "identifier") for text in _SEPARATOR.split(value))
    if len(identifiers) > MOST_IDENTIFIERS:
        raise _invalid()
    since, until = read_span(fields.get("_lastUpdated", ()))
    page = next(iter(single(fields, "_page")), None)
    return Asked(identifiers, Changed(since, until, read_count(single(fields, "_count"))), page)


def single(fields: Fields, name: str) -> Sequence[str]:
    """Return the one value of a field, or none; raises ``Refused`` for several."""
    values = fields.get(name, ())
    if len(values) > 1:
        raise _invalid()
    return values


def _token(text: str) -> BusinessIdentifier:
    """A token names its system: a bare value could be anybody's."""
    parts = [_ESCAPED.sub(r"\1", part) for part in _BAR.split(text)]
    if len(parts) != 2 or not all(parts):
        raise _invalid()
    return BusinessIdentifier(parts[0], parts[1])


def read_count(values: Sequence[str]) -> int:
    """Return how many a page shall hold; raises ``Refused`` for what is no number of them."""
    if not values:
        return USUAL_PER_PAGE
    if not values[0].isascii() or not values[0].isdigit() or int(values[0][:6]) < 1:
        raise _invalid()
    return min(int(values[0][:6]), MOST_PER_PAGE)


def read_span(values: Sequence[str]) -> tuple[datetime | None, datetime | None]:
    """Return the first instant that is asked for and the first that is not any more: all of several bounds hold."""
    since: list[datetime] = []
    until: list[datetime] = []
    for value in values:
        match = _DATE.fullmatch(value)
        if match is None:
            raise _invalid()
        try:
            begins, ends = _moment(match[2], match[3])
        except (ValueError, OverflowError):
            raise _invalid() from None
        if match[1] in ("", "eq", "ge"):
            since.append(begins)
        if match[1] == "gt":
            since.append(ends)
        if match[1] in ("", "eq", "le"):
            until.append(ends)
        if match[1] == "lt":
            until.append(begins)
    return max(since, default=None), min(until, default=None)


def _moment(day: str, rest: str | None) -> tuple[datetime, datetime]:
    """Return where a day in London, or an instant as precisely as it is given, begins and ends."""
    if rest is None:
        on = date.fromisoformat(day)
        begins, ends = (datetime.combine(each, time(), LONDON).astimezone(UTC) for each in (on, on + timedelta(days=1)))
        return begins, ends
    _, _, fraction = rest.rstrip("Z").split("+")[0].partition(".")
    digits = len(fraction.split("-")[0])
    begins = datetime.fromisoformat(day + rest).astimezone(UTC)
    return begins, begins + timedelta(microseconds=10 ** (6 - digits))


def _invalid() -> Refused:
    return Refused(Issue(Code.PARAMETER_INVALID))
