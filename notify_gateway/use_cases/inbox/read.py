# SPDX-License-Identifier: MIT
"""What officers see: the inbox's lists, and one notification with all that the trust told and the authority did. Without identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from notify_gateway.domain.casework import Decision, NoticeKind, Part, Sort, Status, Step, Tab
from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentFacts:
    """What the trust says it told the parent, and what the parent said; None is "the trust did not say"."""

    told_on: date | None
    discussion_offered_on: date | None
    view: str
    """A code of ``domain.model.ParentView``; its words are in ``privacy.wording.PARENT_VIEWS``."""
    organisations: str | None
    """A code of ``domain.model.VoluntaryOrganisation``: ``advised`` or ``none-likely``; None where it is not recorded."""
    do_not_contact_before: date | None
    contact_sensitively: bool
    """The parent objects, or the family asked not to be contacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One entry of the history. ``what`` is a key of ``domain.casework_words.HAPPENINGS``, which has the sentence.

    ``who`` is an officer's name, a trust's name, or None for the service. ``version`` is that of the case afterwards: what has a higher one
    than a form was rendered with is what changed meanwhile. ``details`` are codes and dates, in words.
    """

    what: str
    at: datetime
    who: str | None
    version: int
    details: Mapping[str, str]
    event_id: UUID | None
    log_entry: int | None
    """The number of the entry in the log, once it is sequenced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """An attempt to reach the family. ``note`` is sealed: only the authority's key opens it."""

    id: UUID
    how: str
    whom: str
    result: str
    on: date
    interpreter: bool
    next_try_on: date | None
    told_trust: bool
    note: bytes | None
    by: Officer
    at: datetime
    replaced: bool
    """A later entry corrects it; it is shown struck through."""
    editable: bool
    """By the viewer, now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOutcome:
    """An outcome; ``reopened_at`` once it no longer stands."""

    code: str
    label: str
    on: date
    review_on: date | None
    by: Officer | None
    at: datetime
    reopened_at: datetime | None
    reopened_because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """A question to the trust; open until the trust sends an update, or an officer takes the question back."""

    code: str
    label: str
    by: Officer | None
    at: datetime
    closed_at: datetime | None
    closed_by: str | None
    """``update``, ``withdrawal`` or ``officer``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBack:
    """That the authority said it is not the responsible one, and whether the trust has sent it again since."""

    reason: str
    label: str
    suggested: str | None
    suggested_name: str | None
    at: datetime
    resent_at: datetime | None
    times: int
    """How often the notification was sent back, by whichever authority."""
    disputed: bool
    """Sent back twice: operator and both managers settle it, and nobody sends it back again until they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another notification about the same child at this authority, or one that may be."""

    pair: UUID
    reference: str
    trust: Trust
    service: str | None
    needs: tuple[Need, ...]
    received_at: datetime
    status: Status
    officer: Officer | None
    how: str
    """``number``: same NHS number, found by the service; ``hand``: an officer linked them."""
    decision: Decision
    kept: str | None
    """Of a duplicate: the reference that is worked."""
    decided_by: Officer | None
    decided_at: datetime | None
    undoable_until: datetime | None
    contacted_on: date | None
    contact_planned_on: date | None


@dataclass(frozen=True, slots=True)
class ContactWarning:
    """The family was contacted, or is about to be, about another notification of this child."""

    reference: str
    contacted_on: date | None
    planned_on: date | None
    officer: Officer | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who got the case, from whom, when and why."""

    officer: Officer | None
    before: Officer | None
    by: Officer | None
    reason: str | None
    at: datetime
    undoable_until: datetime | None
    """Until then ``assign.undo`` takes it back; None when it is too late or another followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All of one notification that its page shows before anybody asks who the child is."""

    row: Row
    notification_id: UUID
    delivery_id: UUID
    """The latest delivery of it to this authority: what is opened is this one's envelopes."""
    message_id: UUID
    opinion_formed_on: date | None
    sent_on: date
    service: str | None
    event: str
    """``new``, ``update`` or ``delete``: what came last."""
    flags: tuple[tuple[str, str], ...]
    """Banners: title and text."""
    parent: ParentFacts
    came_of_age_on: date | None
    """The day from which the child is of compulsory school age, where that is past or within 60 days."""
    next: Step
    may_acknowledge: bool
    may_contact: bool
    may_record_outcome: bool
    may_reopen: bool
    may_send_back: bool
    may_ask: bool
    may_close: bool
    assignments: tuple[Assignment, ...]
    """The last three, the latest first."""
    contacts: tuple[Contact, ...]
    failed_tries: int
    asked_not_to_contact: bool
    outcomes: tuple[RecordedOutcome, ...]
    questions: tuple[AskedQuestion, ...]
    sent_back: SentBack | None
    related: tuple[Related, ...]
    warnings: tuple[ContactWarning, ...]
    """Where not empty, recording or planning a contact needs ``related_seen``."""
    notices: tuple[Notice, ...]
    history: tuple[Happening, ...]
    """The latest first."""
    restricted_contact: str | None
    """What the authority says of how to reach a child whose address is restricted."""
    erased: bool


def list_cases(gateway: Gateway, by: Person, filters: Filters, page: int = 1) -> InboxPage:
    """Return a page of the inbox of the person's authority; raises ``NotAllowed``."""
    raise NotImplementedError


def show_case(gateway: Gateway, by: Person, reference: str) -> Case:
    """Return the notification as the person's authority knows it; raises ``NotAllowed``, and ``NotFound`` where it has none."""
    raise NotImplementedError
