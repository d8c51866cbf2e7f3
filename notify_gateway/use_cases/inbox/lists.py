# SPDX-License-Identifier: MIT
"""What the inbox's lists show: filters, counts, rows and what stands round them. Without identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from notify_gateway.domain.casework import NoticeKind, Part, Sort, Status, Step, Tab

PER_PAGE = 25
MOST_COUNTED = 1000
"""Beyond so many a count says "more than", and no page follows: filters, not pages, find things among thousands."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many; ``more``: at least one more than ``number``, which is as far as is counted."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.more else f"{self.number:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What of the inbox is asked for; nothing in it identifies anybody, so that it may stand in an address."""

    tab: Tab = Tab.TO_DO
    reference: str | None = None
    status: frozenset[Status] = frozenset()
    need: str | None = None
    """A type or area code of ``mappings.needs``."""
    age_from: int | None = None
    """Age at the opinion in whole years, from and to (both included)."""
    age_to: int | None = None
    sender: str | None = None
    """The trust, by its ODS code."""
    officer: UUID | None = None
    received_from: date | None = None
    received_to: date | None = None
    late: bool = False
    new: bool = False
    sort: Sort | None = None
    """None is the tab's own order: by reply-by date where there is something to do, else the latest first."""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Officer:
    """A member of staff of the authority."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Trust:
    """A sending organisation."""

    ods: str
    name: str


@dataclass(frozen=True, slots=True)
class Need:
    """A need as the code tables name it; ``label`` is in plain words, ``certainty`` ``has`` or ``probably-has``."""

    code: str | None
    label: str
    area: str | None
    certainty: str
    kinds: tuple[str, ...] = ()
    strength: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyBy:
    """Until when the next step is to be taken. ``working_days`` are those left, or with ``late`` those gone by since.

    ``paused_since``: a question to the trust is open since then and the time stands still; it is then neither late nor on time.
    """

    step: Step
    on: date
    working_days: int
    late: bool
    paused_since: datetime | None = None
    extended: bool = False
    """A manager has set a later date, with a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A notification in a list."""

    reference: str
    version: int
    needs: tuple[Need, ...]
    certainty: str
    """``has`` where the trust says so of any need, else ``probably-has``."""
    age: str | None
    """In words, at the opinion: "2 years 7 months"; None once it is erased."""
    trust: Trust
    received_at: datetime
    reply_by: ReplyBy | None
    officer: Officer | None
    status: Status
    sensitive: bool
    """Something asks for care (restricted address, an objecting parent, asked not to be contacted); the list does not say what."""
    additional: bool
    """Another notification about the same child is there."""


@dataclass(frozen=True, slots=True)
class TrustHeard:
    """When a trust was last heard from; ``quiet`` when that is much longer ago than is usual for it."""

    trust: Trust
    last_at: datetime
    days: int
    quiet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to know before anything else; ``parts`` of a change: which, never to what. Dismissed by id, for one person alone."""

    id: UUID
    kind: NoticeKind
    reference: str
    at: datetime
    parts: tuple[Part, ...] = ()
    by: Trust | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """One page of a list, and what stands round it."""

    filters: Filters
    rows: tuple[Row, ...]
    page: int
    first: int
    """Number of the first row shown, 0 where there is none."""
    last: int
    total: Count
    """As filtered, in this tab."""
    more: bool
    """There is a next page."""
    tabs: Mapping[Tab, Count]
    late: Count
    new: Count
    mine: Count
    notices: tuple[Notice, ...]
    last_arrived_at: datetime | None
    trusts: tuple[TrustHeard, ...]
    officers: tuple[Officer, ...]
    """Whom a filter or an assignment may name."""
