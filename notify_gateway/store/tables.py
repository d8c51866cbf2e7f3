# SPDX-License-Identifier: MIT
"""Tables of the main database. No column holds identity in the clear; envelopes are sealed before they come here."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from audit.cosigning_tables import define as define_cosigning
from audit.detail_store import define as define_details
from audit.succession_tables import define as define_succession
from audit.tables import define
from audit.timestamp_tables import define as define_timestamps
from notify_gateway.store import (
    device_tables,
    erasure_tables,
    invariant_tables,
    mesh_tables,
    onboarding_tables,
    operator_tables,
    outbox_tables,
    sftp_tables,
    sign_in_tables,
    staff_tables,
)
from notify_gateway.store.alert_tables import define as define_alerts
from notify_gateway.store.case_tables import define as define_cases
from notify_gateway.store.engine import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

clients = Table(
    "clients",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("code", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("organisation_type", String(40), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    UniqueConstraint("kind", "code"),
    CheckConstraint("kind in ('trust', 'authority', 'ig', 'operator')", name="kind"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_id", ForeignKey(clients.c.id), nullable=False, index=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)

authorities = Table(
    "authorities",
    metadata,
    Column("gss", String(9), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("custody", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("route", Text, nullable=False, server_default="{}"),
    CheckConstraint("custody in ('authority-held', 'managed')", name="custody"),
    CheckConstraint("channel in ('pull', 'webhook', 'mesh', 'sftp', 'inbox')", name="channel"),
)

authority_keys = Table(
    "authority_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("authority", ForeignKey(authorities.c.gss), nullable=False, index=True),
    Column("suite", String(24), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("fingerprint", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retired_at", Instant),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reference", String(16), nullable=False, unique=True),
    Column("client_id", ForeignKey(clients.c.id), nullable=False),
    Column("business_key", LargeBinary(32), nullable=False),
    Column("authority", ForeignKey(authorities.c.gss), nullable=False, index=True),
    Column("thread_id", Uuid, nullable=False, index=True),
    Column("child_key", LargeBinary(32)),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("client_id", "business_key"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("notification_id", ForeignKey(notifications.c.id), nullable=False, index=True),
    Column("client_id", Uuid, nullable=False),
    Column("message_key", LargeBinary(32), nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("body_digest", LargeBinary(32), nullable=False),
    Column("event", String(8), nullable=False),
    Column("version_at", Instant, nullable=False),
    Column("authority", String(9), nullable=False),
    Column("view", LargeBinary, nullable=False),
    Column("view_digest", LargeBinary(32), nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("accepted_event", Uuid, nullable=False),
    UniqueConstraint("client_id", "message_key"),
    UniqueConstraint("client_id", "request_id"),
)

envelopes = Table(
    "envelopes",
    metadata,
    Column("message_id", ForeignKey(messages.c.id), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("header", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("stored", LargeBinary, nullable=False),
    CheckConstraint("kind in ('card', 'original')", name="kind"),
)

ages = Table(
    "ages",
    metadata,
    Column("message_id", ForeignKey(messages.c.id), primary_key=True),
    Column("authority", String(9), nullable=False),
    Column("age_months_at_opinion", Integer, nullable=False),
    Column("compulsory_school_age_on", Date, nullable=False),
    # Keyed digests, by which it is told what an update changed, and never to what; they go with the ages when identity is erased.
    *(Column(name, LargeBinary(16)) for name in ("name_print", "address_print", "contact_print")),
)

thread_keys = Table(
    "thread_keys",
    metadata,
    Column("authority", String(9), primary_key=True),
    Column("key_version", Integer, primary_key=True),
    Column("value", String(64), primary_key=True),
    Column("thread_id", Uuid, nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
)

# A message leads to its notification, and that to client and authority: one chain of foreign keys is enough, and each costs a look-up.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("notification_id", Uuid, nullable=False),
    Column("message_id", ForeignKey(messages.c.id), nullable=False, index=True),
    Column("authority", String(9), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("event", String(8), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("hinted_at", Instant),
    Column("lease_owner", String(64)),
    Column("lease_until", Instant),
    Column("last_code", String(40)),
    Column("document_digest", LargeBinary(32)),
    Column("offered_at", Instant),
    Column("received_at", Instant),
    Column("received_event", Uuid),
    Column("acknowledged_at", Instant),
    Column("acknowledged_event", Uuid),
    *outbox_tables.policy_columns(),
    UniqueConstraint("notification_id", "sequence"),
)
# The dispatcher asks for what is queued and due, the collection point for what is offered; all stay small while the table grows.
outbox_tables.index(deliveries)
Index(
    "ix_deliveries_offered",
    deliveries.c.authority,
    deliveries.c.offered_at,
    deliveries.c.id,
    postgresql_where=text("state = 'offered'"),
    sqlite_where=text("state = 'offered'"),
)

# What the authority says of a delivery once it has taken it up; rows are added and never changed.
delivery_steps = Table(
    "delivery_steps",
    metadata,
    Column("delivery_id", ForeignKey(deliveries.c.id), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", String(16), nullable=False),
    Column("code", String(40)),
    Column("on_date", Date),
    Column("suggested", String(9)),
    Column("at", Instant, nullable=False),
    Column("by", String(64), nullable=False),
    Column("event_id", Uuid, nullable=False),
    CheckConstraint("step in ('contacted', 'outcome', 'sent-back', 'question', 'question-closed')", name="step"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("client_id", ForeignKey(clients.c.id), primary_key=True),
    Column("business_key", LargeBinary(32), primary_key=True),
    Column("version_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

reveal_grants = Table(
    "reveal_grants",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("message_id", ForeignKey(messages.c.id), nullable=False),
    Column("authority", ForeignKey(authorities.c.gss), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

open_acts = Table(
    "open_acts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tag", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("fields", Text, nullable=False),
    Column("begun_at", Instant, nullable=False, index=True),
)

key_proposals, client_keys, key_sources, spent_assertions, access_tokens = sign_in_tables.define(metadata)
legal_holds, erasures, erased_messages = erasure_tables.define(metadata)
alert_addresses, alerted = define_alerts(metadata)
mesh_messages = mesh_tables.define(metadata)
sftp_looks = sftp_tables.define(metadata)
invariant_findings, periodic_work = invariant_tables.define(metadata)
authority_proposals = onboarding_tables.define(metadata)
operator_sessions = operator_tables.define(metadata)
circuits, downtimes = outbox_tables.define(metadata)
case_tables = define_cases(metadata)
devices, recovery_drills, sealed_notes, hand_overs = device_tables.define(metadata)
staff, staff_sessions, staff_sign_ins, kept_forms = staff_tables.define(metadata)

audit_tables = define(metadata)
cosigning_tables = define_cosigning(metadata)
event_details = define_details(metadata)
succession_tables = define_succession(metadata)
timestamps = define_timestamps(metadata)

shred_metadata = MetaData()

shred_keys = Table(
    "shred_keys",
    shred_metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("key", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)

erased_keys = Table(
    "erased_keys",
    shred_metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("erased_at", Instant, nullable=False),
)
