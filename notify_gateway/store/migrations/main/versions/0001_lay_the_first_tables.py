# SPDX-License-Identifier: MIT
"""Lay the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notify_gateway.store.engine import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_audit_head_is_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_leaf",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_leaf_event_id")),
    )
    op.create_index(op.f("ix_audit_leaf_leaf_hash"), "audit_leaf", ["leaf_hash"], unique=False)
    op.create_table(
        "audit_node",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("pos", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("level > 0", name=op.f("ck_audit_node_audit_node_above_leaves")),
        sa.PrimaryKeyConstraint("level", "pos", name=op.f("pk_audit_node")),
    )
    op.create_table(
        "audit_pending",
        sa.Column("arrival", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arrival", name=op.f("pk_audit_pending")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_pending_event_id")),
    )
    op.create_table(
        "authorities",
        sa.Column("gss", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("custody", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("webhook_url", sa.String(length=2000), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint("channel in ('pull', 'webhook')", name=op.f("ck_authorities_channel")),
        sa.CheckConstraint("custody in ('authority-held', 'managed')", name=op.f("ck_authorities_custody")),
        sa.PrimaryKeyConstraint("gss", name=op.f("pk_authorities")),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("organisation_type", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint("kind in ('trust', 'authority')", name=op.f("ck_clients_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
        sa.UniqueConstraint("kind", "code", name=op.f("uq_clients_kind_code")),
    )
    op.create_table(
        "thread_keys",
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("authority", "key_version", "value", name=op.f("pk_thread_keys")),
    )
    op.create_index(op.f("ix_thread_keys_thread_id"), "thread_keys", ["thread_id"], unique=False)
    op.create_table(
        "authority_keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("suite", sa.String(length=24), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_authority_keys_authority_authorities")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_authority_keys")),
    )
    op.create_index(op.f("ix_authority_keys_authority"), "authority_keys", ["authority"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("business_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("child_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_notifications_authority_authorities")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_notifications_client_id_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("client_id", "business_key", name=op.f("uq_notifications_client_id_business_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_notifications_reference")),
    )
    op.create_index(op.f("ix_notifications_authority"), "notifications", ["authority"], unique=False)
    op.create_index(op.f("ix_notifications_thread_id"), "notifications", ["thread_id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_tokens_client_id_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tokens_token_hash")),
    )
    op.create_index(op.f("ix_tokens_client_id"), "tokens", ["client_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("message_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("version_at", Instant(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("view", sa.LargeBinary(), nullable=False),
        sa.Column("view_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("accepted_event", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], name=op.f("fk_messages_notification_id_notifications")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("client_id", "message_key", name=op.f("uq_messages_client_id_message_key")),
        sa.UniqueConstraint("client_id", "request_id", name=op.f("uq_messages_client_id_request_id")),
    )
    op.create_index(op.f("ix_messages_notification_id"), "messages", ["notification_id"], unique=False)
    op.create_table(
        "ages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("age_months_at_opinion", sa.Integer(), nullable=False),
        sa.Column("compulsory_school_age_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_ages_message_id_messages")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_ages")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("hinted_at", Instant(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("last_code", sa.String(length=40), nullable=True),
        sa.Column("document_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("offered_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("received_event", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("acknowledged_event", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_deliveries_message_id_messages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("notification_id", "sequence", name=op.f("uq_deliveries_notification_id_sequence")),
    )
    op.create_index(op.f("ix_deliveries_message_id"), "deliveries", ["message_id"], unique=False)
    op.create_index(
        "ix_deliveries_offered",
        "deliveries",
        ["authority", "offered_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'offered'"),
        sqlite_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "ix_deliveries_queued",
        "deliveries",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
        sqlite_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "envelopes",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("stored", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind in ('card', 'original')", name=op.f("ck_envelopes_kind")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_envelopes_message_id_messages")),
        sa.PrimaryKeyConstraint("message_id", "kind", name=op.f("pk_envelopes")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # What is sealed cannot be compressed: to try costs time at each insert.
        op.execute("ALTER TABLE envelopes ALTER COLUMN stored SET STORAGE EXTERNAL")
    op.create_table(
        "tombstones",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("business_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_tombstones_client_id_clients")),
        sa.PrimaryKeyConstraint("client_id", "business_key", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "reveal_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=9), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("case_reference", sa.String(length=40), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["authority"], ["authorities.gss"], name=op.f("fk_reveal_grants_authority_authorities")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_reveal_grants_message_id_messages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveal_grants")),
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_table("reveal_grants")
    op.drop_table("tombstones")
    op.drop_table("envelopes")
    op.drop_index(
        "ix_deliveries_queued",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'queued'"),
        sqlite_where=sa.text("state = 'queued'"),
    )
    op.drop_index(
        "ix_deliveries_offered",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'offered'"),
        sqlite_where=sa.text("state = 'offered'"),
    )
    op.drop_index(op.f("ix_deliveries_message_id"), table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_table("ages")
    op.drop_index(op.f("ix_messages_notification_id"), table_name="messages")
    op.drop_table("messages")
    op.drop_index(op.f("ix_tokens_client_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_index(op.f("ix_notifications_thread_id"), table_name="notifications")
    op.drop_index(op.f("ix_notifications_authority"), table_name="notifications")
    op.drop_table("notifications")
    op.drop_index(op.f("ix_authority_keys_authority"), table_name="authority_keys")
    op.drop_table("authority_keys")
    op.drop_index(op.f("ix_thread_keys_thread_id"), table_name="thread_keys")
    op.drop_table("thread_keys")
    op.drop_table("clients")
    op.drop_table("authorities")
    op.drop_table("audit_pending")
    op.drop_table("audit_node")
    op.drop_index(op.f("ix_audit_leaf_leaf_hash"), table_name="audit_leaf")
    op.drop_table("audit_leaf")
    op.drop_table("audit_head")
    op.drop_table("audit_checkpoint")
