# SPDX-License-Identifier: MIT
"""What the lists show: the inbox with its counts, tabs and filters, and what is late. No name, no day of birth, no address, ever."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from notify_gateway.domain.casework import STATUSES, Part, Sort, Tab
from notify_gateway.domain.clock import london_day
from notify_gateway.use_cases.inbox.read import Count, Filters, InboxPage, Notice, Officer, ReplyBy, Row, Trust
from notify_gateway.web.inbox import asked, words
from notify_gateway.web.inbox.filter_presenter import FilterBox, Link, filter_box
from notify_gateway.web.wording import day, instant, plural, short_day

SOON = 2
"""Working days from which on a day that is near stands out."""


@dataclass(frozen=True, slots=True)
class CountLink:
    """A number that leads to what it counts."""

    number: str
    words: str
    address: str
    late: bool


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """Something to know before anything else."""

    id: str
    title: str
    told: str
    reference: str
    address: str


@dataclass(frozen=True, slots=True)
class Due:
    """Until when, and how that stands; ``kind`` is ``late``, ``soon``, ``paused`` or nothing."""

    step: str
    on: str
    short: str
    left: str
    kind: str


@dataclass(frozen=True, slots=True)
class ListRow:
    """A notification in a list."""

    reference: str
    address: str
    ticked: str
    needs: str
    age: str
    trust: str
    received: str
    due: Due | None
    officer: str
    status: str
    colour: str
    sensitive: bool
    additional: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """A column that the list can be sorted by; ``sorted`` is ``ascending``, ``descending`` or nothing."""

    words: str
    address: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Heard:
    """When a trust was last heard from."""

    trust: str
    last: str
    quiet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The inbox."""

    done: str
    notices: tuple[NoticeLine, ...]
    counts: tuple[CountLink, ...]
    tabs: tuple[Link, ...]
    filter: FilterBox
    showing: str
    headings: tuple[Heading, ...]
    rows: tuple[ListRow, ...]
    previous: str
    next: str
    empty: tuple[str, ...]
    heard: tuple[Heard, ...]
    may_assign: bool
    form_token: str
    files: tuple[str, str]
    """Where the same rows, all pages of them, are as CSV and as a workbook."""


def inbox(found: InboxPage, *, today: date, may_assign: bool, form_token: str, done: str = "") -> Inbox:
    """Return what the inbox shows."""
    wanted = found.filters
    mine = replace(Filters(), tab=Tab.MINE)
    return Inbox(
        done=done,
        notices=tuple(map(notice_line, found.notices)),
        counts=(
            CountLink(str(found.late), "Late", asked.address(Filters(late=True)), True),
            CountLink(str(found.new), "New", asked.address(Filters(new=True)), False),
            CountLink(str(found.mine), "Assigned to you", asked.address(mine), False),
        ),
        tabs=tuple(_tab(tab, found) for tab in Tab),
        filter=filter_box(found, today),
        showing=showing(found),
        headings=tuple(_heading(sort, wanted) for sort in (Sort.NEED, Sort.RECEIVED, Sort.REPLY_BY)),
        rows=tuple(map(list_row, found.rows)),
        previous=asked.address(wanted, found.page - 1) if found.page > 1 else "",
        next=asked.address(wanted, found.page + 1) if found.more else "",
        empty=_empty(found),
        heard=tuple(Heard(each.trust.name, instant(each.last_at), _quiet(each.trust, each.days, each.quiet)) for each in found.trusts),
        may_assign=may_assign,
        form_token=form_token,
        files=(asked.address(wanted, path="/inbox/rows.csv"), asked.address(wanted, path="/inbox/rows.xlsx")),
    )


def showing(found: InboxPage) -> str:
    """Return which of how many are shown."""
    if not found.rows:
        return "No notifications"
    return f"Showing {found.first:,} to {found.last:,} of {counted(found.total)}"


def list_row(row: Row) -> ListRow:
    """Return a notification as a list shows it."""
    known = STATUSES[row.status]
    return ListRow(
        reference=row.reference,
        address=f"/notifications/{row.reference}",
        ticked=f"{row.reference}:{row.version}",
        needs=need_words(row),
        age=row.age or "Not kept",
        trust=row.trust.name,
        received=f"Received {short_day(london_day(row.received_at))}",
        due=due(row.reply_by),
        officer=name_of(row.officer),
        status=known.label,
        colour=known.colour,
        sensitive=row.sensitive,
        additional=row.additional,
    )


def need_words(row: Row) -> str:
    """Return the needs in one line."""
    return ", ".join(dict.fromkeys(need.label for need in row.needs)) or "Need not stated"


def name_of(officer: Officer | None) -> str:
    """Return whose something is."""
    return officer.name if officer else "Not assigned"


def due(reply_by: ReplyBy | None) -> Due | None:
    """Return how the next step stands; a time that stands still is neither late nor on time."""
    if reply_by is None:
        return None
    step, days = words.STEPS[reply_by.step], reply_by.working_days
    if reply_by.paused_since is not None:
        return Due(step, day(reply_by.on), short_day(reply_by.on), f"Paused since {short_day(london_day(reply_by.paused_since))}", "paused")
    if reply_by.late:
        return Due(step, day(reply_by.on), short_day(reply_by.on), f"{plural(days, 'working day')} late", "late")
    left = "today" if days == 0 else f"{plural(days, 'working day')} left"
    return Due(
        step,
        day(reply_by.on),
        short_day(reply_by.on),
        f"{left}, date extended" if reply_by.extended else left,
        "soon" if days <= SOON else "",
    )


def notice_line(notice: Notice) -> NoticeLine:
    """Return a notice as people read it: which parts changed, never to what."""
    parts = words.listed(words.PARTS[Part(part)] for part in notice.parts)
    who = notice.by.name if notice.by else "The trust"
    told = f"{who} changed the child's {parts}, {instant(notice.at)}" if parts else f"{who}, {instant(notice.at)}"
    return NoticeLine(str(notice.id), words.NOTICES[notice.kind], told, notice.reference, f"/notifications/{notice.reference}")


def _tab(tab: Tab, found: InboxPage) -> Link:
    here = replace(asked.cleared(found.filters), tab=tab, sort=None, descending=False)
    count = found.tabs.get(tab)
    return Link(f"{words.TABS[tab]} ({count})" if count is not None else words.TABS[tab], asked.address(here), tab is found.filters.tab)


def _heading(sort: Sort, wanted: Filters) -> Heading:
    current = wanted.sort is sort or (wanted.sort is None and sort is Sort.REPLY_BY and wanted.tab is not Tab.FINISHED)
    down = current and wanted.descending
    turned = replace(wanted, sort=sort, descending=current and not wanted.descending)
    return Heading(words.SORTS[sort], asked.address(turned), "descending" if down else "ascending" if current else "")


def _empty(found: InboxPage) -> tuple[str, ...]:
    if found.rows:
        return ()
    if found.filters != asked.cleared(found.filters):
        return ("No notifications match these filters.",)
    last = (
        f"The last notification arrived on {instant(found.last_arrived_at)}."
        if found.last_arrived_at
        else "No notification has arrived yet."
    )
    nothing = {
        Tab.MINE: "Nothing is assigned to you.",
        Tab.NOT_ASSIGNED: "Everything is assigned.",
        Tab.FINISHED: "Nothing is finished yet.",
    }
    return (nothing.get(found.filters.tab, "Nothing waiting."), last)


def _quiet(trust: Trust, days: int, quiet: bool) -> str:
    return f"No messages from {trust.name} for {plural(days, 'day')}" if quiet else ""


def counted(count: Count) -> str:
    """Return how many notifications."""
    return f"{count} notification{'' if count.number == 1 and not count.more else 's'}"
