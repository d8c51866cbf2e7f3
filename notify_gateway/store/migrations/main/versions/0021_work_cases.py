# SPDX-License-Identifier: MIT
"""Keep what officers do with a notification, and the rules of each authority's inbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from notify_gateway.store import guards, row_level
from notify_gateway.store.engine import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_SCOPED = (
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
_WATCHED = (
    "cases",
    "case_assignments",
    "case_contacts",
    "case_outcomes",
    "case_questions",
    "case_pairs",
    "inbox_settings",
    "case_disputes",
)
_PRINTS = ("name_print", "address_print", "contact_print")
_STEPS = "step in ('contacted', 'outcome', 'sent-back')"
_MORE_STEPS = "step in ('contacted', 'outcome', 'sent-back', 'question', 'question-closed')"
_UNREAD = "state = 'received' AND channel = 'inbox'"


def upgrade() -> None:
    """Bring the tables to this revision."""
    _replace_check(_STEPS, _MORE_STEPS)
    for name in _PRINTS:
        op.add_column("ages", sa.Column(name, sa.LargeBinary(length=16)))
    op.add_column("staff", sa.Column("leave_from", sa.Date()))
    unread = sa.text(_UNREAD)
    op.create_index("ix_deliveries_unread", "deliveries", ["authority", "received_at"], postgresql_where=unread, sqlite_where=unread)
    _cases()
    _parts()
    _pairs()
    _notices()
    _rules()
    connection = op.get_bind()
    for table in _SCOPED:
        row_level.protect(connection, table)
    if connection.dialect.name == "postgresql":
        for table in _WATCHED:
            guards.watch(connection, table)


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for table in ("case_disputes", *reversed(_SCOPED)):
        op.drop_table(table)
    op.drop_index("ix_deliveries_unread", "deliveries")
    op.drop_column("staff", "leave_from")
    for name in _PRINTS:
        op.drop_column("ages", name)
    op.execute("DELETE FROM delivery_steps WHERE step IN ('question', 'question-closed')")
    _replace_check(_MORE_STEPS, _STEPS)


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("sender", sa.String(length=16), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("thread_id", "delivery_id", "message_id")),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("main_need", sa.String(length=60)),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("related", sa.Boolean(), nullable=False),
        sa.Column("contact_from", sa.Date()),
        *(sa.Column(name, Instant(), nullable=False) for name in ("arrived_at", "turn_at", "changed_at")),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("bucket", sa.String(length=8), nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("reply_on", sa.Date()),
        sa.Column("clock_on", sa.Date(), nullable=False),
        sa.Column("paused_days", sa.Integer(), nullable=False),
        sa.Column("asked_at", Instant()),
        sa.Column("extended_step", sa.String(length=12)),
        sa.Column("extended_on", sa.Date()),
        sa.Column("officer", sa.Uuid()),
        sa.Column("contacted_on", sa.Date()),
        sa.Column("next_try_on", sa.Date()),
        sa.Column("failed_tries", sa.Integer(), nullable=False),
        sa.Column("asked_not_to", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=40)),
        sa.Column("sent_back_at", Instant()),
        sa.Column("sent_back_reason", sa.String(length=40)),
        sa.Column("suggested", sa.String(length=9)),
        *(sa.Column(name, Instant()) for name in ("resent_at", "withdrawn_at", "closed_at")),
        sa.Column("duplicate_of", sa.Uuid()),
        sa.CheckConstraint("stage in ('received', 'acknowledged', 'contacted', 'outcome', 'sent-back')", name=op.f("ck_cases_stage")),
        sa.CheckConstraint("bucket in ('to-do', 'waiting', 'finished')", name=op.f("ck_cases_bucket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("notification_id", "authority", name=op.f("uq_cases_notification_id_authority")),
        sa.UniqueConstraint("authority", "reference", name=op.f("uq_cases_authority_reference")),
    )
    ordered = {
        "reply": ["bucket", "reply_on", "id"],
        "arrived": ["bucket", "arrived_at", "id"],
        "need": ["bucket", "main_need", "id"],
        "officer": ["officer", "bucket", "reply_on", "id"],
        "status": ["status", "bucket", "reply_on", "id"],
        "sender": ["sender", "bucket", "reply_on", "id"],
        "thread": ["thread_id"],
    }
    for name, columns in ordered.items():
        op.create_index(f"ix_cases_{name}", "cases", ["authority", *columns])


def _of_case(name: str, *columns: sa.Column[Any]) -> None:
    """Make a table of which several rows may belong to a case."""
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f(f"fk_{name}_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_case_id"), name, ["case_id"])


def _parts() -> None:
    op.create_table(
        "case_events",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid()),
        sa.Column("form", sa.Uuid()),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id_cases")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_case_events")),
        sa.UniqueConstraint("case_id", "form", name=op.f("uq_case_events_case_id_form")),
    )
    _of_case(
        "case_assignments",
        sa.Column("officer", sa.Uuid()),
        sa.Column("before", sa.Uuid()),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40)),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("undone_at", Instant()),
    )
    _of_case(
        "case_contacts",
        *(sa.Column(name, sa.String(length=20), nullable=False) for name in ("how", "whom", "result")),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("interpreter", sa.Boolean(), nullable=False),
        sa.Column("next_try_on", sa.Date()),
        sa.Column("told_trust", sa.Boolean(), nullable=False),
        sa.Column("note_id", sa.Uuid()),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("replaces", sa.Uuid()),
        sa.Column("replaced_at", Instant()),
    )
    _of_case(
        "case_outcomes",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date()),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reopened_at", Instant()),
        sa.Column("reopened_by", sa.String(length=64)),
        sa.Column("reopened_because", sa.String(length=40)),
    )
    _of_case(
        "case_questions",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("closed_at", Instant()),
        sa.Column("closed_by", sa.String(length=16)),
    )


def _pairs() -> None:
    op.create_table(
        "case_pairs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("one_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("kept", sa.Uuid()),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", Instant()),
        sa.CheckConstraint("how in ('number', 'hand')", name=op.f("ck_case_pairs_how")),
        *(sa.ForeignKeyConstraint([each], ["cases.id"], name=op.f(f"fk_case_pairs_{each}_cases")) for each in ("one_id", "other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_pairs")),
        sa.UniqueConstraint("one_id", "other_id", name=op.f("uq_case_pairs_one_id_other_id")),
    )
    for each in ("one_id", "other_id"):
        op.create_index(op.f(f"ix_case_pairs_{each}"), "case_pairs", [each])
    op.create_index("ix_case_pairs_decision", "case_pairs", ["authority", "decision", "made_at"])


def _notices() -> None:
    _of_case(
        "case_notices",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("message_before", sa.Uuid()),
        sa.Column("message_id", sa.Uuid()),
        sa.Column("over", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_case_notices_latest", "case_notices", ["authority", "over", "at"])
    op.create_table(
        "notices_dismissed",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["case_notices.id"], name=op.f("fk_notices_dismissed_notice_id_case_notices")),
        sa.PrimaryKeyConstraint("notice_id", "person", name=op.f("pk_notices_dismissed")),
    )


def _rules() -> None:
    op.create_table(
        "inbox_settings",
        sa.Column("authority", sa.String(length=9), nullable=False),
        *(sa.Column(f"{name}_days", sa.Integer(), nullable=False) for name in ("acknowledge", "allocate", "contact", "outcome")),
        sa.Column("reveal_minutes", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(length=200), nullable=False) for name in ("restricted_contact", "service_email", "sendiass_name")),
        *(sa.Column(name, sa.String(length=40), nullable=False) for name in ("service_phone", "safeguarding_phone", "sendiass_phone")),
        sa.Column("planning_only", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_inbox_settings_authority_authorities")),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_inbox_settings")),
    )
    op.create_table(
        "inbox_senders",
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("sender", sa.String(length=16), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("authority", "sender", name=op.f("pk_inbox_senders")),
    )
    op.create_table(
        "case_disputes",
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("settled_at", Instant()),
        sa.Column("settled_by", sa.String(length=64)),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_case_disputes")),
    )


def _replace_check(old: str, new: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_delivery_steps_step"), "delivery_steps", type_="check")
        op.create_check_constraint(op.f("ck_delivery_steps_step"), "delivery_steps", new)
        return
    # SQLite's own manual rewrites the text of a constraint in place.
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    rewritten = sa.text("UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'delivery_steps'")
    connection.execute(rewritten, {"old": old, "new": new})
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
