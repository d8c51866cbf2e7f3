# SPDX-License-Identifier: MIT
"""Making a page of the inbox: a handful of statements, however much there is in it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from mappings.holidays import Calendar
from notify_gateway.domain.case_clock import late_before
from notify_gateway.domain.casework import Sort, Tab
from notify_gateway.domain.clock import LONDON, london_day
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person, Role
from notify_gateway.store.case_lists import CaseLists, Wanted
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.lists import MOST_COUNTED, PER_PAGE, Count, Filters, InboxPage, Officer, Trust, TrustHeard
from notify_gateway.use_cases.inbox.rows import People, codes_of, notices_of, row_of

_OLDEST: Final = 1200
_USUAL_AFTER: Final = 5
_QUIET_AFTER_DAYS: Final = 14
_TIMES_USUAL: Final = 3
_WORKERS: Final = frozenset({Role.OFFICER, Role.MANAGER})


def list_cases(gateway: Gateway, by: Person, filters: Filters, page: int = 1) -> InboxPage:
    """Return a page of the inbox of the person's authority; raises ``NotAllowed``."""
    require(by, Act.READ_INBOX)
    now = gateway.clock.now()
    today = london_day(now)
    page = min(max(page, 1), -(-MOST_COUNTED // PER_PAGE))
    wanted = wanted_of(filters, by, today)
    plain = {tab: Wanted(tab=tab, person=by.id, late_before=wanted.late_before) for tab in Tab}
    lists = {f"tab_{tab.name}": each for tab, each in plain.items()} | {
        "total": wanted,
        "late": Wanted(tab=Tab.TO_DO, person=by.id, late_before=wanted.late_before, late=True),
        "new": Wanted(tab=Tab.TO_DO, person=by.id, late_before=wanted.late_before, new=True),
    }
    sort, descending = order_of(filters)
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        found = CaseLists(connection, by.organisation)
        counts = {name: _count(number) for name, number in found.counts(lists, most=MOST_COUNTED).items()}
        shown = found.page(wanted, sort, descending=descending, limit=PER_PAGE + 1, offset=(page - 1) * PER_PAGE)
        senders = found.senders()
        members = Members(connection, by.organisation).all()
        names = {row.sender: row.name or row.sender for row in senders}
        notices = notices_of(found.notices(by), found.disputed(), found, names)
    people = People.of(members)
    rows = tuple(row_of(each, people, today) for each in shown[:PER_PAGE])
    first = (page - 1) * PER_PAGE + 1 if rows else 0
    return InboxPage(
        filters=filters,
        rows=rows,
        page=page,
        first=first,
        last=first + len(rows) - 1 if rows else 0,
        total=counts["total"],
        more=len(shown) > PER_PAGE and page * PER_PAGE < MOST_COUNTED,
        tabs={tab: counts[f"tab_{tab.name}"] for tab in Tab},
        late=counts["late"],
        new=counts["new"],
        mine=counts[f"tab_{Tab.MINE.name}"],
        notices=notices,
        last_arrived_at=senders[0].last_at if senders else None,
        trusts=tuple(_heard(row, now) for row in senders),
        officers=tuple(Officer(each.id, each.name) for each in members if each.closed_at is None and not _WORKERS.isdisjoint(each.roles)),
    )


def wanted_of(filters: Filters, by: Person, today: date) -> Wanted:
    """Return what the filters ask the database for, when this person asks on this day."""
    months = None
    if filters.age_from is not None or filters.age_to is not None:
        months = ((filters.age_from or 0) * 12, _OLDEST if filters.age_to is None else filters.age_to * 12 + 11)
    until = None if filters.received_to is None else filters.received_to + timedelta(days=1)
    return Wanted(
        tab=filters.tab,
        person=by.id,
        late_before=late_before(today, Calendar.load()),
        reference=filters.reference,
        statuses=sorted(filters.status),
        needs=sorted(codes_of(filters.need)) if filters.need else (),
        months=months,
        sender=filters.sender,
        officer=filters.officer,
        arrived=(_begins(filters.received_from), _begins(until)),
        late=filters.late,
        new=filters.new,
    )


def order_of(filters: Filters) -> tuple[Sort, bool]:
    """Return by what the list is sorted, and whether downwards."""
    if filters.sort is not None:
        return filters.sort, filters.descending
    return (Sort.RECEIVED, True) if filters.tab is Tab.FINISHED else (Sort.REPLY_BY, False)


def _begins(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, LONDON)


def _count(number: int) -> Count:
    return Count(min(number, MOST_COUNTED), number > MOST_COUNTED)


def _heard(row: Any, now: datetime) -> TrustHeard:
    """Return when a trust was last heard from; what is usual is known once it has sent a few."""
    days = (london_day(now) - london_day(row.last_at)).days
    usual = (row.last_at - row.first_at) / (row.count - 1) if row.count >= _USUAL_AFTER else None
    quiet = usual is not None and days > max(_QUIET_AFTER_DAYS, usual.days * _TIMES_USUAL)
    return TrustHeard(Trust(row.sender, row.name or row.sender), row.last_at, days, quiet)
