# SPDX-License-Identifier: MIT
"""Row-level security on PostgreSQL: whoever reads for the pages sees the rows of one organisation, whatever the query forgot to say.

A transaction says for whom it acts (``app.organisation``); where nothing is said, nothing is seen. The pages' role is ``notify_web``. On
SQLite, and where the roles are not set up, the repositories' own conditions are the only ones; ``doctor`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text

from notify_gateway.store.engine import reading as reading_view

WEB: Final = "notify_web"
SERVE_ALL: Final = ("notify_service", "notify_delivery")
"""The roles whose work is not for one organisation: they see every row."""
POLICY: Final = "own_organisation"
ALL: Final = "every_organisation"
SETTING: Final = "app.organisation"
_ENTERED: WeakKeyDictionary[Engine, bool] = WeakKeyDictionary()


def protect(connection: Connection, table: str, column: str = "authority") -> None:
    """From now on a row of the table is seen and written only by who acts for the organisation in ``column``; SQLite has no such thing.

    The owner of the tables is not bound, nor are the roles that serve all organisations.
    """
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    own = f"{quote(column)} = current_setting('{SETTING}', true)"
    # Roles are looked up when a row is, and named in no policy: so a copy of the database goes into a server that has none of them.
    named = ", ".join(f"'{role}'" for role in SERVE_ALL)
    all_of_them = f"(SELECT bool_or(pg_has_role(oid, 'MEMBER')) FROM pg_roles WHERE rolname IN ({named}))"  # noqa: S608 - names of ours
    connection.execute(text(f"ALTER TABLE {quote(table)} ENABLE ROW LEVEL SECURITY"))
    connection.execute(text(f"CREATE POLICY {POLICY} ON {quote(table)} TO PUBLIC USING ({own}) WITH CHECK ({own})"))
    connection.execute(text(f"CREATE POLICY {ALL} ON {quote(table)} TO PUBLIC USING ({all_of_them}) WITH CHECK ({all_of_them})"))


@contextmanager
def scoped(engine: Engine, organisation: str, *, reading: bool = False) -> Iterator[Connection]:
    """Give a transaction that acts for one organisation: on PostgreSQL it sees no other's rows, whatever is asked.

    ``reading``: it only reads, and on SQLite does not wait for the one writer.
    """
    if engine.dialect.name != "postgresql":
        with (reading_view(engine) if reading else engine).begin() as connection:
            yield connection
        return
    with engine.begin() as connection:
        enter = f", set_config('role', '{WEB}', true)" if _may_enter(engine, connection) else ""
        connection.execute(text(f"SELECT set_config('{SETTING}', :organisation, true){enter}"), {"organisation": organisation})
        yield connection


def holds_rows(engine: Engine) -> bool:
    """Tell whether pages read as their own role here, so that the database itself keeps them to one organisation's rows."""
    if engine.dialect.name != "postgresql":
        return False
    with reading_view(engine).begin() as connection:
        return _may_enter(engine, connection)


def act_for(connection: Connection, organisation: str) -> None:
    """From here on the transaction acts for this organisation, as the role that it has; SQLite has no such thing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT set_config('{SETTING}', :organisation, true)"), {"organisation": organisation})


def _may_enter(engine: Engine, connection: Connection) -> bool:
    """Tell whether this login may become the pages' role, and that role knows these tables; asked once of each engine."""
    held = _ENTERED.get(engine)
    if held is None:
        known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": WEB})
        asked = text("SELECT pg_has_role(:role, 'MEMBER') AND has_table_privilege(:role, 'staff', 'SELECT')")
        held = _ENTERED[engine] = bool(known) and bool(connection.scalar(asked, {"role": WEB}))
    return held
