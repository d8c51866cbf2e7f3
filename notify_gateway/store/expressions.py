# SPDX-License-Identifier: MIT
"""What the two databases spell differently: an id as the log writes it, the seconds between two instants, a view that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Float, String, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _UuidText(FunctionElement[str]):
    type = String()
    inherit_cache = True
    name = "uuid_text"


class _SecondsBetween(FunctionElement[float]):
    type = Float()
    inherit_cache = True
    name = "seconds_between"


def uuid_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the id in the form that subjects of the log have: small letters and hyphens."""
    return _UuidText(column)


def seconds_between(earlier: ColumnElement[Any], later: ColumnElement[Any]) -> ColumnElement[float]:
    """Return the seconds from one instant to another; null where one of them is."""
    return _SecondsBetween(earlier, later)


@contextmanager
def standing_still(engine: Engine, *, within: timedelta) -> Iterator[Connection]:
    """Give a connection that reads the database as it is at the first statement, whatever is committed meanwhile.

    On PostgreSQL a statement that takes longer than ``within`` ends with ``OperationalError``; SQLite has no such bound.
    """
    if engine.dialect.name != "postgresql":
        with engine.execution_options(reading=True).begin() as connection:
            yield connection
        return
    frozen = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with frozen.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = {within // timedelta(milliseconds=1)}"))
        yield connection


@compiles(_UuidText, "postgresql")
def _uuid_of_postgresql(element: _UuidText, compiler: SQLCompiler, **more: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **more)} AS TEXT)"


@compiles(_UuidText, "sqlite")
def _uuid_of_sqlite(element: _UuidText, compiler: SQLCompiler, **more: Any) -> str:
    digits = compiler.process(element.clauses, **more)
    return "(" + " || '-' || ".join(f"substr({digits}, {start}, {count})" for start, count in _GROUPS) + ")"


@compiles(_SecondsBetween, "postgresql")
def _seconds_of_postgresql(element: _SecondsBetween, compiler: SQLCompiler, **more: Any) -> str:
    earlier, later = (compiler.process(each, **more) for each in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({later} - {earlier})) AS DOUBLE PRECISION)"


@compiles(_SecondsBetween, "sqlite")
def _seconds_of_sqlite(element: _SecondsBetween, compiler: SQLCompiler, **more: Any) -> str:
    earlier, later = (compiler.process(each, **more) for each in element.clauses)
    return f"((julianday({later}) - julianday({earlier})) * 86400.0)"


_GROUPS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
