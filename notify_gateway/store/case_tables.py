# SPDX-License-Identifier: MIT
"""Tables of what an authority's people do with notifications. ``cases`` is kept in the transaction of whatever changes it.

Every row belongs to one authority, and nothing here identifies a child: codes, days, ids, and notes that only the authority can open.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from notify_gateway.store import case_part_tables
from notify_gateway.store.engine import Instant

SCOPED: Final = (
    "cases",
    "case_events",
    "case_assignments",
    "case_contacts",
    "case_outcomes",
    "case_questions",
    "case_pairs",
    "case_notices",
    "notices_dismissed",
    "inbox_settings",
    "inbox_senders",
)
"""Tables whose rows are one authority's own."""

OF_ARRIVALS: Final = (
    "cases",
    "case_events",
    "case_outcomes",
    "case_questions",
    "case_pairs",
    "case_notices",
    "inbox_senders",
)
"""Tables that a delivery which arrives may change."""


class CaseTables(NamedTuple):
    """The tables, in the order in which they are made."""

    cases: Table
    events: Table
    assignments: Table
    contacts: Table
    outcomes: Table
    questions: Table
    pairs: Table
    notices: Table
    dismissed: Table
    settings: Table
    senders: Table
    disputes: Table


def define(metadata: MetaData) -> CaseTables:
    """Add the tables to ``metadata``; return them."""
    return CaseTables(
        _cases(metadata),
        _events(metadata),
        case_part_tables.assignments(metadata),
        case_part_tables.contacts(metadata),
        case_part_tables.outcomes(metadata),
        case_part_tables.questions(metadata),
        case_part_tables.pairs(metadata),
        *case_part_tables.notices(metadata),
        _settings(metadata),
        _senders(metadata),
        _disputes(metadata),
    )


def _cases(metadata: MetaData) -> Table:
    """One row for each notification and authority: what lists show and sort by, and where the work stands."""
    cases = Table(
        "cases",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", String(9), nullable=False),
        Column("notification_id", Uuid, nullable=False),
        Column("reference", String(16), nullable=False),
        Column("sender", String(16), nullable=False),
        Column("thread_id", Uuid, nullable=False),
        Column("delivery_id", Uuid, nullable=False),
        Column("message_id", Uuid, nullable=False),
        Column("event", String(8), nullable=False),
        Column("main_need", String(60)),
        Column("sensitive", Boolean, nullable=False),
        Column("related", Boolean, nullable=False),
        Column("contact_from", Date),
        Column("arrived_at", Instant, nullable=False),
        Column("turn_at", Instant, nullable=False),
        Column("changed_at", Instant, nullable=False),
        Column("version", Integer, nullable=False),
        Column("stage", String(16), nullable=False),
        Column("status", String(16), nullable=False),
        Column("bucket", String(8), nullable=False),
        Column("step", String(12), nullable=False),
        Column("reply_on", Date),
        Column("clock_on", Date, nullable=False),
        Column("paused_days", Integer, nullable=False),
        Column("asked_at", Instant),
        Column("extended_step", String(12)),
        Column("extended_on", Date),
        Column("officer", Uuid),
        Column("contacted_on", Date),
        Column("next_try_on", Date),
        Column("failed_tries", Integer, nullable=False),
        Column("asked_not_to", Boolean, nullable=False),
        Column("outcome", String(40)),
        Column("sent_back_at", Instant),
        Column("sent_back_reason", String(40)),
        Column("suggested", String(9)),
        Column("resent_at", Instant),
        Column("withdrawn_at", Instant),
        Column("closed_at", Instant),
        Column("duplicate_of", Uuid),
        UniqueConstraint("notification_id", "authority"),
        UniqueConstraint("authority", "reference"),
        CheckConstraint("stage in ('received', 'acknowledged', 'contacted', 'outcome', 'sent-back')", name="stage"),
        CheckConstraint("bucket in ('to-do', 'waiting', 'finished')", name="bucket"),
    )
    c = cases.c
    # One index for each order of a list, each behind the bucket that a list is of; counts read as much of them as they count.
    Index("ix_cases_reply", c.authority, c.bucket, c.reply_on, c.id)
    Index("ix_cases_arrived", c.authority, c.bucket, c.arrived_at, c.id)
    Index("ix_cases_need", c.authority, c.bucket, c.main_need, c.id)
    Index("ix_cases_officer", c.authority, c.officer, c.bucket, c.reply_on, c.id)
    Index("ix_cases_status", c.authority, c.status, c.bucket, c.reply_on, c.id)
    Index("ix_cases_sender", c.authority, c.sender, c.bucket, c.reply_on, c.id)
    Index("ix_cases_thread", c.authority, c.thread_id)
    return cases


def _events(metadata: MetaData) -> Table:
    """What happened to a case, for its history; ``form`` is that of the page that was sent, so that it counts once."""
    return Table(
        "case_events",
        metadata,
        Column("case_id", ForeignKey("cases.id"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("authority", String(9), nullable=False),
        Column("version", Integer, nullable=False),
        Column("at", Instant, nullable=False),
        Column("what", String(40), nullable=False),
        Column("actor", String(64), nullable=False),
        Column("details", Text, nullable=False),
        Column("event_id", Uuid),
        Column("form", Uuid),
        UniqueConstraint("case_id", "form"),
    )


def _settings(metadata: MetaData) -> Table:
    return Table(
        "inbox_settings",
        metadata,
        Column("authority", ForeignKey("authorities.gss"), primary_key=True),
        Column("acknowledge_days", Integer, nullable=False),
        Column("allocate_days", Integer, nullable=False),
        Column("contact_days", Integer, nullable=False),
        Column("outcome_days", Integer, nullable=False),
        Column("reveal_minutes", Integer, nullable=False),
        Column("restricted_contact", String(200), nullable=False),
        Column("service_email", String(200), nullable=False),
        Column("service_phone", String(40), nullable=False),
        Column("safeguarding_phone", String(40), nullable=False),
        Column("sendiass_name", String(200), nullable=False),
        Column("sendiass_phone", String(40), nullable=False),
        Column("planning_only", Boolean, nullable=False),
        Column("changed_by", Uuid, nullable=False),
        Column("changed_at", Instant, nullable=False),
    )


def _senders(metadata: MetaData) -> Table:
    """When each trust was heard from, so that silence is noticed without reading every case."""
    return Table(
        "inbox_senders",
        metadata,
        Column("authority", String(9), primary_key=True),
        Column("sender", String(16), primary_key=True),
        Column("first_at", Instant, nullable=False),
        Column("last_at", Instant, nullable=False),
        Column("count", Integer, nullable=False),
    )


def _disputes(metadata: MetaData) -> Table:
    """Notifications that were sent back twice: nobody's own, for two authorities and the operator look at each."""
    return Table(
        "case_disputes",
        metadata,
        Column("notification_id", Uuid, primary_key=True),
        Column("opened_at", Instant, nullable=False),
        Column("times", Integer, nullable=False),
        Column("settled_at", Instant),
        Column("settled_by", String(64)),
    )
