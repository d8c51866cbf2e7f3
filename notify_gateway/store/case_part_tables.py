# SPDX-License-Identifier: MIT
"""Tables of what belongs to a case: assignments, contacts, outcomes, questions, pairs and notices."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint, Uuid

from notify_gateway.store.engine import Instant


def assignments(metadata: MetaData) -> Table:
    """Return the table of who got which case from whom."""
    return Table(
        "case_assignments",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
        Column("authority", String(9), nullable=False),
        Column("officer", Uuid),
        Column("before", Uuid),
        Column("by", Uuid, nullable=False),
        Column("reason", String(40)),
        Column("at", Instant, nullable=False),
        Column("undone_at", Instant),
    )


def contacts(metadata: MetaData) -> Table:
    """Return the table of attempts to reach families."""
    return Table(
        "case_contacts",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
        Column("authority", String(9), nullable=False),
        Column("how", String(20), nullable=False),
        Column("whom", String(20), nullable=False),
        Column("result", String(20), nullable=False),
        Column("on_date", Date, nullable=False),
        Column("interpreter", Boolean, nullable=False),
        Column("next_try_on", Date),
        Column("told_trust", Boolean, nullable=False),
        # Of the table of sealed notes, which goes with the identity when that is erased.
        Column("note_id", Uuid),
        Column("by", Uuid, nullable=False),
        Column("at", Instant, nullable=False),
        Column("replaces", Uuid),
        Column("replaced_at", Instant),
    )


def outcomes(metadata: MetaData) -> Table:
    """Return the table of outcomes."""
    return Table(
        "case_outcomes",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
        Column("authority", String(9), nullable=False),
        Column("code", String(40), nullable=False),
        Column("on_date", Date, nullable=False),
        Column("review_on", Date),
        Column("by", String(64), nullable=False),
        Column("at", Instant, nullable=False),
        Column("reopened_at", Instant),
        Column("reopened_by", String(64)),
        Column("reopened_because", String(40)),
    )


def questions(metadata: MetaData) -> Table:
    """Return the table of questions to trusts."""
    return Table(
        "case_questions",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
        Column("authority", String(9), nullable=False),
        Column("code", String(40), nullable=False),
        Column("by", Uuid, nullable=False),
        Column("at", Instant, nullable=False),
        Column("closed_at", Instant),
        Column("closed_by", String(16)),
    )


def pairs(metadata: MetaData) -> Table:
    """Two cases that may be of one child, the first the earlier; a pair is made once and then decided, again and again if need be."""
    made = Table(
        "case_pairs",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", String(9), nullable=False),
        Column("one_id", ForeignKey("cases.id"), nullable=False, index=True),
        Column("other_id", ForeignKey("cases.id"), nullable=False, index=True),
        Column("how", String(8), nullable=False),
        Column("version", Integer, nullable=False),
        Column("made_at", Instant, nullable=False),
        Column("decision", String(16), nullable=False),
        Column("kept", Uuid),
        Column("decided_by", Uuid),
        Column("decided_at", Instant),
        UniqueConstraint("one_id", "other_id"),
        CheckConstraint("how in ('number', 'hand')", name="how"),
    )
    Index("ix_case_pairs_decision", made.c.authority, made.c.decision, made.c.made_at)
    return made


def notices(metadata: MetaData) -> tuple[Table, Table]:
    """Return the tables of notices and of who has dismissed which."""
    told = Table(
        "case_notices",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", String(9), nullable=False),
        Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
        Column("kind", String(16), nullable=False),
        Column("at", Instant, nullable=False),
        Column("message_before", Uuid),
        Column("message_id", Uuid),
        Column("over", Boolean, nullable=False),
    )
    Index("ix_case_notices_latest", told.c.authority, told.c.over, told.c.at)
    dismissed = Table(
        "notices_dismissed",
        metadata,
        Column("notice_id", ForeignKey("case_notices.id"), primary_key=True),
        Column("person", Uuid, primary_key=True),
        Column("authority", String(9), nullable=False),
        Column("at", Instant, nullable=False),
    )
    return told, dismissed
