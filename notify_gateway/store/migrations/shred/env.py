# SPDX-License-Identifier: MIT
"""Runs migrations on the connection that ``notify_gateway.store.migrate`` hands in."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    transactional_ddl=True,
    version_table="alembic_version_shred",
)
with context.begin_transaction():
    context.run_migrations()
