# SPDX-License-Identifier: MIT
"""One notification as its page shows it, before anybody asks who the child is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from notify_gateway.domain.casework import Decision, Status, Step
from notify_gateway.use_cases.inbox.lists import Need, Notice, Officer, Row, Trust


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
    """An attempt to reach the family. ``note_id`` is that of a sealed note, which only the authority's key opens."""

    id: UUID
    how: str
    whom: str
    result: str
    on: date
    interpreter: bool
    next_try_on: date | None
    told_trust: bool
    note_id: UUID | None
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
