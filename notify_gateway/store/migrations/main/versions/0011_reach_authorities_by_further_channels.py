# SPDX-License-Identifier: MIT
"""Let an authority be reached by MESH, SFTP or its inbox, each with a route of its own parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
contract = "webhook_url is taken away: what came before 0011 does not know where a webhook goes and is stopped first"

_BEFORE, _NOW = "channel in ('pull', 'webhook')", "channel in ('pull', 'webhook', 'mesh', 'sftp', 'inbox')"
_authorities = sa.table("authorities", sa.column("gss"), sa.column("channel"), sa.column("webhook_url"), sa.column("route"))


def upgrade() -> None:
    """Bring the tables to this revision."""
    _replace_check(_BEFORE, _NOW)
    op.add_column("authorities", sa.Column("route", sa.Text(), nullable=False, server_default="{}"))
    connection, a = op.get_bind(), _authorities.c
    with _untold():
        for row in connection.execute(sa.select(a.gss, a.webhook_url).where(a.webhook_url.is_not(None))).all():
            connection.execute(sa.update(_authorities).where(a.gss == row.gss).values(route=json.dumps({"url": row.webhook_url})))
    op.drop_column("authorities", "webhook_url")


def downgrade() -> None:
    """Take the tables back to the revision before; raises where an authority uses a channel that there was not."""
    op.add_column("authorities", sa.Column("webhook_url", sa.String(length=2000)))
    connection, a = op.get_bind(), _authorities.c
    with _untold():
        for row in connection.execute(sa.select(a.gss, a.channel, a.route)).all():
            if row.channel not in ("pull", "webhook"):
                raise ValueError(f"authority {row.gss} is reached by {row.channel}: give it another channel first")
            connection.execute(sa.update(_authorities).where(a.gss == row.gss).values(webhook_url=json.loads(row.route).get("url")))
    op.drop_column("authorities", "route")
    _replace_check(_NOW, _BEFORE)


@contextmanager
def _untold() -> Iterator[None]:
    """Write what is written already in other words: no authority changes, so the log has no event of it."""
    connection = op.get_bind()
    trigger = sa.text("ALTER TABLE authorities DISABLE TRIGGER authorities_update_has_event")
    if connection.dialect.name == "postgresql":
        connection.execute(trigger)
    yield
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(trigger.text.replace("DISABLE", "ENABLE")))


def _replace_check(old: str, new: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_authorities_channel"), "authorities", type_="check")
        op.create_check_constraint(op.f("ck_authorities_channel"), "authorities", new)
        return
    # Other tables refer to this one, so SQLite cannot lay it anew; its own manual rewrites the text of a constraint in place.
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    rewritten = sa.text("UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'authorities'")
    connection.execute(rewritten, {"old": old, "new": new})
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
