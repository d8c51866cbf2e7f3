# SPDX-License-Identifier: MIT
"""Tables of devices that hold a working key, of drills of the recovery key, of sealed notes and of what was handed to a browser."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Uuid

from notify_gateway.store.engine import Instant

SCOPED = ("devices", "recovery_drills", "sealed_notes", "hand_overs")
"""Tables whose rows are an authority's own."""


def define(metadata: MetaData) -> tuple[Table, Table, Table, Table]:
    """Return the tables of devices, drills, notes and hand-overs, now part of ``metadata``, which has authorities and messages."""
    devices = Table(
        "devices",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", ForeignKey("authorities.gss"), nullable=False, index=True),
        # No foreign key: until a second person has approved it, the key is not there.
        Column("kid", String(64), nullable=False, unique=True),
        Column("label", String(60), nullable=False),
        Column("fingerprint", String(100), nullable=False),
        Column("enrolled_by", String(80), nullable=False),
        Column("enrolled_at", Instant, nullable=False),
        Column("ended_by", String(80)),
        Column("ended_at", Instant),
        Column("ended_because", String(16)),
        CheckConstraint("ended_because in ('lost', 'replaced', 'never-approved')", name="ended_because"),
    )
    drills = Table(
        "recovery_drills",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", ForeignKey("authorities.gss"), nullable=False, index=True),
        Column("kid", ForeignKey("authority_keys.kid"), nullable=False),
        Column("document", LargeBinary, nullable=False),
        Column("answer_hash", LargeBinary(32), nullable=False),
        Column("begun_by", String(80), nullable=False),
        Column("begun_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("passed_by", String(80)),
        Column("passed_at", Instant),
    )
    notes = Table(
        "sealed_notes",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", ForeignKey("authorities.gss"), nullable=False),
        Column("notification_id", ForeignKey("notifications.id"), nullable=False),
        # The message whose shred key lies over the note: when who it is about is erased, so is what was noted.
        Column("message_id", ForeignKey("messages.id"), nullable=False, index=True),
        Column("header", LargeBinary, nullable=False),
        Column("signature", LargeBinary, nullable=False),
        Column("stored", LargeBinary, nullable=False),
        Column("written_by", String(80), nullable=False),
        Column("written_at", Instant, nullable=False),
    )
    Index("ix_sealed_notes_notification_id", notes.c.notification_id, notes.c.written_at)
    handed = Table(
        "hand_overs",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("authority", ForeignKey("authorities.gss"), nullable=False),
        Column("person_id", Uuid, nullable=False),
        Column("notification_id", ForeignKey("notifications.id"), nullable=False),
        Column("kind", String(8), nullable=False),
        Column("reason", String(40), nullable=False),
        Column("kid", String(64), nullable=False),
        Column("granted_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("times", Integer, nullable=False),
        Column("last_at", Instant, nullable=False),
        CheckConstraint("kind in ('card', 'original')", name="kind"),
    )
    Index("ix_hand_overs_notification_id", handed.c.notification_id, handed.c.person_id, handed.c.expires_at)
    return devices, drills, notes, handed
