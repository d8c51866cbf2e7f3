# SPDX-License-Identifier: MIT
"""Section 23 of the Children and Families Act 2014, and compulsory school age (Education Act 1996 s.8), day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from notify_gateway.cli.conformance.case import Case, bad, good
from notify_gateway.cli.conformance.changes import Change, Day, DayOfLife, Instant, Put, Without
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.domain.catalogue import Code

LAW: Final = "law"
SCHOOL_AGE: Final = "school age"
INFORM, OFFER, THEN = "section 23(2)(a); L5", "section 23(2)(b); L6", "section 23(3): must then"

_FAULTS: Final[tuple[tuple[str, str, Code, tuple[Change, ...]], ...]] = (
    ("the parent was not informed", INFORM, Code.PARENT_NOT_INFORMED, (Without("informed"),)),
    ("the parent is to be informed", INFORM, Code.PARENT_NOT_INFORMED, (Put("informed.status", "preparation"),)),
    ("the parent was not reached", INFORM, Code.PARENT_NOT_INFORMED, (Put("informed.status", "not-done"),)),
    ("informed in error", INFORM, Code.PARENT_NOT_INFORMED, (Put("informed.status", "entered-in-error"),)),
    ("no discussion was offered", OFFER, Code.DISCUSSION_NOT_OFFERED, (Without("offered"),)),
    ("a discussion is planned", OFFER, Code.DISCUSSION_NOT_OFFERED, (Put("offered.status", "in-progress"),)),
    ("informed before the opinion", INFORM, Code.INFORMED_BEFORE_OPINION, (Put("informed.sent", Day(-6)),)),
    ("offered before the opinion", OFFER, Code.OFFERED_BEFORE_OPINION, (Put("offered.sent", Day(-6)),)),
    ("informed after the notification", THEN, Code.INFORMED_AFTER_NOTIFICATION, (Put("informed.sent", Day(1)),)),
    ("offered after the notification", THEN, Code.OFFERED_AFTER_NOTIFICATION, (Put("offered.sent", Day(1)),)),
    ("an opinion of the future", "L2", Code.OPINION_IN_FUTURE, (Put("opinion.recordedDate", Day(30)),)),
    ("an opinion before birth", "L2", Code.OPINION_BEFORE_BIRTH, (Put("opinion.recordedDate", DayOfLife(-1)),)),
    ("an opinion after the notification", THEN, Code.OPINION_AFTER_NOTIFICATION, (Put("focus.sent", Instant(-7)),)),
    ("sent in the future", THEN, Code.NOTIFICATION_IN_FUTURE, (Put("focus.sent", Instant(30)),)),
    ("a child who is not born", "a child, not an unborn one", Code.BIRTH_IN_FUTURE, (Put("patient.birthDate", Day(30)),)),
    ("an adult", "section 23(1); L3", Code.COMPULSORY_SCHOOL_AGE, (Put("patient.birthDate", "1980-02-29"),)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A birthday, and the day of the year in which the child turns five on which compulsory school age begins."""

    born: tuple[int, int]
    begins: tuple[int, int]

    def born_on(self, draft: Draft) -> date:
        """Return the latest such birthday of a child who is of compulsory school age when the message is sent."""
        years = range(draft.sent_on.year - 5, draft.sent_on.year - 15, -1)
        return next(day for day in (_day(year, *self.born) for year in years) if day and self.begins_on(day) < draft.sent_on)

    def begins_on(self, born: date) -> date:
        """Return the day on which compulsory school age begins for that child."""
        return date(born.year + 5, *self.begins)


@dataclass(frozen=True, slots=True)
class SchoolAge:
    """Lets the opinion, and all that follows it, fall on a day before or on which compulsory school age begins for a child of the row."""

    row: Row
    before: int

    def __call__(self, draft: Draft) -> None:
        """Change the draft."""
        born = self.row.born_on(draft)
        opinion = self.row.begins_on(born) - timedelta(days=self.before)
        draft.child(born=born).dated(opinion=opinion, informed=opinion, offered=opinion)


ROWS: Final = (
    Row((8, 30), (8, 31)),
    Row((8, 31), (8, 31)),
    Row((9, 1), (12, 31)),
    Row((2, 29), (3, 31)),
    Row((12, 31), (12, 31)),
    Row((1, 1), (3, 31)),
    Row((3, 31), (3, 31)),
    Row((4, 1), (8, 31)),
    Row((10, 1), (12, 31)),
)


def cases() -> Iterator[Case]:
    """Give them."""
    for title, source, code, changes in _FAULTS:
        yield bad(LAW, title, source, code, *changes)
    for row in ROWS:
        born, begins = (f"{date(2024, *day):%-d %B}" for day in (row.born, row.begins))
        source = f"Education Act 1996 s.8(2): of age on {begins}"
        yield good(SCHOOL_AGE, f"born on {born}: the last day before", source, SchoolAge(row, 1))
        yield bad(SCHOOL_AGE, f"born on {born}: the first day of age", source, Code.COMPULSORY_SCHOOL_AGE, SchoolAge(row, 0))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
