# SPDX-License-Identifier: MIT
"""The rows of a list as a file, all of them and none twice, without identity: what the pages of the list show, one after another.

That a download begins is in the log before its first row, and how it ended after the last.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal
from uuid import UUID, uuid4

from audit.events import Event, Value
from notify_gateway.domain.casework import STATUSES
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import LONDON, london_day
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.spreadsheet import csv_head, csv_rows
from notify_gateway.privacy.workbook import About, Column, write_workbook
from notify_gateway.privacy.workbook import Value as Cell
from notify_gateway.store.case_lists import CaseLists
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.use_cases import acts
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.listing import order_of, wanted_of
from notify_gateway.use_cases.inbox.lists import Filters, Row
from notify_gateway.use_cases.inbox.rows import People, row_of

MOST_ROWS: Final = 20_000
AT_ONCE: Final = 500
CHUNK: Final = 64 * 1024
SHEET: Final = "Notifications"

Medium = Literal["csv", "xlsx"]

COLUMNS: Final = (
    Column("reference", 17),
    Column("status", 14),
    Column("status_means", 24),
    Column("needs", 44),
    Column("need_codes", 14),
    Column("certainty", 14),
    Column("age_at_opinion", 18),
    Column("trust", 34),
    Column("trust_code", 11),
    Column("received_on", 14, "day"),
    Column("next_step", 14),
    Column("reply_by", 14, "day"),
    Column("working_days_left", 14, "number"),
    Column("working_days_late", 14, "number"),
    Column("paused_since", 14, "day"),
    Column("officer", 26),
    Column("sensitive", 11),
    Column("other_notifications", 14),
)
"""What stands in the files. Names and order stay; a new column comes last."""


@dataclass(slots=True, kw_only=True)
class Download:
    """A download under way. So many rows are held at a time, and between two lots no connection."""

    gateway: Gateway
    by: Person
    filters: Filters
    medium: Medium
    ids: Sequence[UUID]
    about: About
    id: UUID = field(default_factory=uuid4)
    _done: int = 0
    _ended: bool = False
    _pages: Generator[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self._pages = self._csv() if self.medium == "csv" else self._xlsx()
        with self.gateway.engine.begin() as connection:
            acts.begin(connection, self.id, self._told("download:attempted"))

    def page(self) -> list[bytes]:
        """Return the next bytes of the file; none when there are no more."""
        part = next(self._pages, None)
        return [] if part is None else [part]

    def end(self, *, whole: bool) -> None:
        """Record how it ended: handed over whole, or broken off. A second call changes nothing."""
        if self._ended:
            return
        self._ended = True
        self._pages.close()
        with self.gateway.engine.begin() as connection:
            acts.end(connection, self.id, self._told("download:handed_over" if whole else "download:failed"))

    def _csv(self) -> Generator[bytes]:
        names = [column.name for column in COLUMNS]
        yield csv_head(names)
        for lot in self._lots():
            yield csv_rows(names, (dict(zip(names, map(_text, cells_of(row)), strict=True)) for row in lot))

    def _xlsx(self) -> Generator[bytes]:
        # A workbook is a ZIP file, whose parts are known only when all rows are; it waits on disk, and holds no identity.
        with tempfile.TemporaryDirectory(prefix="download-") as folder:
            path = Path(folder) / "rows.xlsx"
            rows = (cells_of(row) for lot in self._lots() for row in lot)
            write_workbook(path, about=self.about, name=SHEET, columns=COLUMNS, rows=rows)
            with path.open("rb") as file:
                while part := file.read(CHUNK):
                    yield part

    def _lots(self) -> Iterator[list[Row]]:
        today = london_day(self.gateway.clock.now())
        for start in range(0, len(self.ids), AT_ONCE):
            wanted = self.ids[start : start + AT_ONCE]
            with scoped(self.gateway.engine, self.by.organisation, reading=True) as connection:
                found = CaseLists(connection, self.by.organisation).by_ids(wanted)
                people = People.of(Members(connection, self.by.organisation).all())
            self._done += len(wanted)
            yield [row_of(found[each], people, today) for each in wanted if each in found]

    def _told(self, tag: str) -> Event:
        fields: dict[str, Value] = {"download": str(self.id), "medium": self.medium, "count": len(self.ids)}
        if tag == "download:failed":
            fields["count"] = self._done
        else:
            fields |= _asked(self.filters)
        return Event(tag, at=self.gateway.clock.now(), actor=self.by.actor, subject=self.by.organisation, fields=fields)


def download(gateway: Gateway, *, by: Person, filters: Filters, medium: Medium, told: Sequence[str] = ()) -> Download:
    """Return the rows of a list as a file, recorded as begun; ``told`` is what the filters are called.

    Raises ``NotAllowed``, and ``Refused`` for more than ``MOST_ROWS``: a file with a part of them would look whole.
    """
    require(by, Act.DOWNLOAD)
    today = london_day(gateway.clock.now())
    sort, descending = order_of(filters)
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        lists = CaseLists(connection, by.organisation)
        ids = lists.ids(wanted_of(filters, by, today), sort, descending=descending, limit=MOST_ROWS + 1)
    if len(ids) > MOST_ROWS:
        raise Refused(Issue(Code.ROWS_TOO_MANY))
    about = _about(gateway, by, told, len(ids))
    return Download(gateway=gateway, by=by, filters=filters, medium=medium, ids=ids, about=about)


def cells_of(row: Row) -> tuple[Cell, ...]:
    """Return the notification as cells, one for each column."""
    due = row.reply_by
    running = due is not None and due.paused_since is None
    return (
        row.reference,
        row.status.value,
        STATUSES[row.status].label,
        "; ".join(dict.fromkeys(need.label for need in row.needs)),
        " ".join(dict.fromkeys(need.code for need in row.needs if need.code)),
        row.certainty,
        row.age or "",
        row.trust.name,
        row.trust.ods,
        london_day(row.received_at),
        due.step.value if due else "",
        due.on if due else None,
        due.working_days if due and running and not due.late else None,
        due.working_days if due and running and due.late else None,
        london_day(due.paused_since) if due and due.paused_since else None,
        row.officer.name if row.officer else "",
        _yes(row.sensitive),
        _yes(row.additional),
    )


def _text(value: Cell) -> str:
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _asked(filters: Filters) -> dict[str, Value]:
    """Return what was asked for in terms that the log takes: codes, days and ids."""
    only = [name for name, given in (("late", filters.late), ("new", filters.new)) if given]
    ages = (filters.age_from, filters.age_to)
    days = (filters.received_from, filters.received_to)
    given = {
        "tab": filters.tab.value,
        "status": ",".join(sorted(each.value for each in filters.status)),
        "need": (filters.need or "").strip("-"),
        "ages": _span(*ages) if ages != (None, None) else None,
        "sender": filters.sender,
        "officer": str(filters.officer) if filters.officer else None,
        "received": _span(*days) if days != (None, None) else None,
        "reference": (filters.reference or "").strip("-"),
        "only": ",".join(only),
    }
    return {name: value for name, value in given.items() if value}


def _span(first: date | int | None, last: date | int | None) -> str:
    return f"{'any' if first is None else first}~{'any' if last is None else last}"


def _about(gateway: Gateway, by: Person, told: Sequence[str], count: int) -> About:
    now = gateway.clock.now().astimezone(LONDON)
    authority = gateway.directory.by_gss(by.organisation, now.date())
    lines = (
        ("What it is", f"Notifications of {authority.name if authority else by.organisation}, as the list showed them."),
        ("Made", f"{now.day} {now:%B %Y} at {now:%H:%M}, London time"),
        ("By", by.name),
        ("Filters", ", ".join(told) or "None"),
        ("How many", f"{count:,}"),
        ("Not in it", "No name, NHS number, date of birth, address or contact. Yet it is about children: keep it like their papers."),
    )
    return About(title="Early years notifications", lines=lines, made_at=now.replace(tzinfo=None))
