# SPDX-License-Identifier: MIT
"""Bringing the databases to the revision that this version of the service needs (Alembic)."""

from __future__ import annotations

from importlib import resources
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text

from notify_gateway.store.engine import open_engine, reading
from notify_gateway.store.tables import metadata, shred_metadata

Which = Literal["main", "shred"]

METADATA: dict[Which, MetaData] = {"main": metadata, "shred": shred_metadata}
_LOCK = 0x5EC23


def upgrade(engine: Engine, which: Which, revision: str = "head") -> None:
    """Bring a database to the newest or the given revision, all or nothing; of several at once on PostgreSQL one works, the others wait."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(which, connection), revision)


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


def revision_of(connection: Connection, which: Which) -> str:
    """Return the revision at which the database stands, or ``none`` where it was never migrated."""
    held = MigrationContext.configure(connection, opts={"version_table": f"alembic_version_{which}"}).get_current_heads()
    return ",".join(held) or "none"


def _config(which: Which, connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("notify_gateway.store").joinpath("migrations", which)))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = METADATA[which]
    return config
