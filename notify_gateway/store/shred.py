# SPDX-License-Identifier: MIT
"""The shred-key store, a database of its own: to delete a key is to erase what it protects, backups included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, delete, select, tuple_

from audit.bulk import insert_all
from notify_gateway.store.engine import autocommitting, reading
from notify_gateway.store.tables import erased_keys, messages, shred_keys


def keep(engine: Engine, keys: Sequence[tuple[UUID, bytes, datetime]]) -> None:
    """Make the keys durable: (message id, 32 bytes, instant) each. A key that is there already stays as it is."""
    with autocommitting(engine).begin() as connection:
        rows = [{"message_id": message, "key": key, "created_at": at} for message, key, at in keys]
        insert_all(connection, [(shred_keys, rows)], where_absent=True)


def find(engine: Engine, message_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """Return the keys that still exist."""
    with reading(engine).begin() as connection:
        rows = connection.execute(select(shred_keys.c.message_id, shred_keys.c.key).where(shred_keys.c.message_id.in_(list(message_ids))))
        return {row.message_id: row.key for row in rows}


def forget(engine: Engine, message_ids: Sequence[UUID]) -> int:
    """Delete the keys; return how many there were. What they protected can never be read again."""
    with engine.begin() as connection:
        return connection.execute(delete(shred_keys).where(shred_keys.c.message_id.in_(list(message_ids)))).rowcount


def erase(engine: Engine, message_ids: Sequence[UUID], *, at: datetime) -> int:
    """Delete the keys and remember, beside them, that this was done on purpose; return how many keys there were."""
    with engine.begin() as connection:
        rows = [{"message_id": message, "erased_at": at} for message in message_ids]
        insert_all(connection, [(erased_keys, rows)], where_absent=True)
        return connection.execute(delete(shred_keys).where(shred_keys.c.message_id.in_(list(message_ids)))).rowcount


def erased(engine: Engine) -> set[UUID]:
    """Return the messages whose keys were deleted on purpose."""
    with reading(engine).begin() as connection:
        return set(connection.scalars(select(erased_keys.c.message_id)))


def sweep_orphans(shred_engine: Engine, engine: Engine, *, since: datetime, before: datetime, page: int = 1000) -> int:
    """Delete the keys made from ``since`` up to ``before`` whose message was never committed; return how many."""
    swept = 0
    after = (since, UUID(int=0))
    while True:
        with reading(shred_engine).begin() as connection:
            made = tuple_(shred_keys.c.created_at, shred_keys.c.message_id)
            rows = connection.execute(
                select(shred_keys.c.created_at, shred_keys.c.message_id)
                .where(made > tuple_(*after), shred_keys.c.created_at < before)
                .order_by(shred_keys.c.created_at, shred_keys.c.message_id)
                .limit(page)
            ).all()
        if not rows:
            return swept
        after = (rows[-1].created_at, rows[-1].message_id)
        with reading(engine).begin() as connection:
            held = set(connection.scalars(select(messages.c.id).where(messages.c.id.in_([row.message_id for row in rows]))))
        if orphans := [row.message_id for row in rows if row.message_id not in held]:
            swept += forget(shred_engine, orphans)
