# SPDX-License-Identifier: MIT
"""The box of filters beside the inbox: what may be chosen, and what is, each with the way to do without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from mappings.needs import NeedTables
from notify_gateway.domain.casework import STATUSES, Status
from notify_gateway.use_cases.inbox.read import InboxPage
from notify_gateway.web.forms import Option
from notify_gateway.web.inbox import asked
from notify_gateway.web.wording import day, plural


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another list."""

    words: str
    address: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class FilterBox:
    """The box of filters: what may be chosen, what is."""

    kept: tuple[tuple[str, str], ...]
    reference: str
    statuses: tuple[tuple[Option, bool], ...]
    needs: tuple[tuple[Option, bool], ...]
    trusts: tuple[tuple[Option, bool], ...]
    officers: tuple[tuple[Option, bool], ...]
    ages_from: tuple[tuple[Option, bool], ...]
    ages_to: tuple[tuple[Option, bool], ...]
    received_from: str
    received_to: str
    chosen: tuple[Link, ...]
    clear: str


def filter_box(found: InboxPage, today: date) -> FilterBox:
    """Return the box as it stands for this list."""
    wanted = found.filters
    kept = [(name, value) for name, value in asked.fields_of(wanted) if name in ("tab", "sort", "order", "late", "new")]
    ages = [Option("", "Any"), *(Option(str(years), plural(years, "year")) for years in range(asked.OLDEST))]
    return FilterBox(
        kept=tuple(kept),
        reference=wanted.reference or "",
        statuses=tuple((Option(each.value, STATUSES[each].label), each in wanted.status) for each in Status),
        needs=_choosing([Option("", "Any"), *_needs(today)], wanted.need),
        trusts=_choosing([Option("", "Any"), *(Option(each.trust.ods, each.trust.name) for each in found.trusts)], wanted.sender),
        officers=_choosing(
            [Option("", "Anybody"), *(Option(str(each.id), each.name) for each in found.officers)],
            str(wanted.officer) if wanted.officer else None,
        ),
        ages_from=_choosing(ages, None if wanted.age_from is None else str(wanted.age_from)),
        ages_to=_choosing(ages, None if wanted.age_to is None else str(wanted.age_to)),
        received_from=wanted.received_from.isoformat() if wanted.received_from else "",
        received_to=wanted.received_to.isoformat() if wanted.received_to else "",
        chosen=tuple(_chosen(found, today)),
        clear=asked.address(asked.cleared(wanted)),
    )


def _chosen(found: InboxPage, today: date) -> Iterator[Link]:
    wanted = found.filters
    trusts = {each.trust.ods: each.trust.name for each in found.trusts}
    officers = {each.id: each.name for each in found.officers}
    needs = {each.value: each.label for each in _needs(today)}
    told = {
        "late": "Late" if wanted.late else "",
        "new": "New" if wanted.new else "",
        "reference": wanted.reference or "",
        "need": needs.get(wanted.need, wanted.need) if wanted.need else "",
        "age_from": f"From {plural(wanted.age_from, 'year')}" if wanted.age_from is not None else "",
        "age_to": f"Up to {plural(wanted.age_to, 'year')}" if wanted.age_to is not None else "",
        "sender": trusts.get(wanted.sender, wanted.sender) if wanted.sender else "",
        "officer": officers.get(wanted.officer, "An officer") if wanted.officer else "",
        "received_from": f"Received from {day(wanted.received_from)}" if wanted.received_from else "",
        "received_to": f"Received to {day(wanted.received_to)}" if wanted.received_to else "",
    }
    for name, label in told.items():
        if label:
            yield Link(label, asked.address(asked.without(wanted, name)))
    for status in sorted(wanted.status):
        yield Link(STATUSES[status].label, asked.address(asked.without(wanted, "status", status)))


def _choosing(every: Iterable[Option], chosen: str | None) -> tuple[tuple[Option, bool], ...]:
    return tuple((option, option.value == (chosen or "")) for option in every)


def _needs(today: date) -> list[Option]:
    tables = NeedTables.load()
    areas = [rows[-1] for rows in tables.areas.values()]
    types = [rows[-1] for rows in tables.sen_types.values()]
    every = [(row.code, row.label, row.valid_to) for row in areas] + [(row.code, row.label, row.valid_to) for row in types]
    return [Option(code, label) for code, label, valid_to in every if valid_to is None or valid_to >= today]
