# SPDX-License-Identifier: MIT
"""Bringing the databases to the revision that this version of the service needs (Alembic)."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from typing import Literal

import stamina
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import OperationalError

from notify_gateway.store.engine import open_engine, reading
from notify_gateway.store.tables import metadata, shred_metadata

Which = Literal["main", "shred"]

METADATA: dict[Which, MetaData] = {"main": metadata, "shred": shred_metadata}
LOCK_WAIT = timedelta(seconds=1)
"""How long a migration stands in line for a table in use: all who come after it stand behind it."""
LOCK_ATTEMPTS = 60
_LOCK = 0x5EC23


def upgrade(engine: Engine, which: Which, revision: str = "head") -> None:
    """Bring a database to the newest or the given revision; of several at once on PostgreSQL one works, the others wait.

    On PostgreSQL each revision of a database in use is a transaction of its own, so that tables are locked for a moment only; whoever
    holds a lock that it needs is waited for ``LOCK_WAIT``, and then everybody behind goes first. On SQLite it is all or nothing. A database
    of a later version is left as it is. Raises ``OperationalError`` when a lock is not to be had; the database then stands at the last
    revision that was reached, and it may be run again.
    """
    if is_ahead(engine, which):
        return
    if engine.dialect.name != "postgresql":
        with engine.begin() as connection:
            command.upgrade(_config(which, connection), revision)
        return
    with reading(engine).begin() as connection:
        in_use = revision_of(connection, which) != "none"
    for step in _steps(which, revision) if in_use else [revision]:
        for attempt in stamina.retry_context(on=_locked, attempts=LOCK_ATTEMPTS, timeout=None, wait_initial=0.1, wait_max=2.0):
            with attempt, engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                connection.execute(text(f"SET LOCAL lock_timeout = {int(LOCK_WAIT.total_seconds() * 1000)}"))
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                if _reached(connection, which, step):
                    continue
                command.upgrade(_config(which, connection), step)


def downgrade(engine: Engine, which: Which, revision: str) -> None:
    """Take a database back to an earlier revision, all or nothing; ``-1`` is the one before. What only newer tables hold is gone.

    Raises ``ValueError`` where something is in use that the earlier revision did not know.
    """
    with engine.begin() as connection:
        command.downgrade(_config(which, connection), revision)


def upgrade_all(main_url: str, shred_url: str) -> None:
    """Bring both databases to the newest revision."""
    for url, which in ((main_url, "main"), (shred_url, "shred")):
        engine = open_engine(url, pool_size=1)
        try:
            upgrade(engine, which)  # type: ignore[arg-type]  # the pair above spells the literals out
        finally:
            engine.dispose()


def is_current(engine: Engine, which: Which) -> bool:
    """Tell whether a database stands at the newest revision."""
    with reading(engine).begin() as connection:
        held = MigrationContext.configure(connection, opts={"version_table": f"alembic_version_{which}"}).get_current_heads()
    return set(held) == set(ScriptDirectory.from_config(_config(which, None)).get_heads())


def is_ahead(engine: Engine, which: Which) -> bool:
    """Tell whether a database stands at a revision of a later version than this."""
    with reading(engine).begin() as connection:
        held = revision_of(connection, which)
    return held != "none" and held > max(ScriptDirectory.from_config(_config(which, None)).get_heads())


def revision_of(connection: Connection, which: Which) -> str:
    """Return the revision at which the database stands, or ``none`` where it was never migrated."""
    held = MigrationContext.configure(connection, opts={"version_table": f"alembic_version_{which}"}).get_current_heads()
    return ",".join(held) or "none"


def _steps(which: Which, revision: str) -> list[str]:
    """Return the revisions up to the given one, oldest first."""
    scripts = ScriptDirectory.from_config(_config(which, None))
    return [each.revision for each in scripts.walk_revisions("base", revision)][::-1]


def _reached(connection: Connection, which: Which, step: str) -> bool:
    """Tell whether the database stands at this revision or at a later one, perhaps one that this version does not know."""
    held = revision_of(connection, which)
    return held != "none" and held >= step


def _locked(error: Exception) -> bool:
    """Tell whether another transaction held what was needed: nothing has changed, and it may be tried again."""
    return isinstance(error, OperationalError) and isinstance(error.orig, LockNotAvailable | DeadlockDetected)


def _config(which: Which, connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("notify_gateway.store").joinpath("migrations", which)))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = METADATA[which]
    return config
