# SPDX-License-Identifier: MIT
"""Inserting rows of several tables in one go: on PostgreSQL one exchange with the server instead of one for each table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, TypeAlias

import psycopg
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import IntegrityError, OperationalError

MOST_PARAMETERS = 50
"""The driver takes a statement with more to pieces at each use (``psycopg._queries.MAX_CACHED_STATEMENT_PARAMS``)."""
_NAMED = re.compile(r"%\([a-z_]+\)s")
_VALUES = re.compile(r"(.* VALUES )(\(.*?\))((?: ON CONFLICT.*)?)", re.DOTALL)
Rows: TypeAlias = Sequence[Mapping[str, Any]]


def insert_all(connection: Connection, batches: Sequence[tuple[Table, Rows]], *, where_absent: bool = False) -> None:
    """Insert the rows of each batch, in order; the rows of one batch name the same columns.

    ``where_absent``: rows that a unique key forbids are passed over.

    Raises ``IntegrityError``, without the values, when a constraint objects; the transaction can then only be rolled back.
    """
    filled = [(table, rows) for table, rows in batches if rows]
    if connection.dialect.name == "postgresql":
        _insert_by_driver(connection, filled, where_absent)
        return
    for table, rows in filled:
        connection.execute(_insert(table, where_absent), rows)


def _insert_by_driver(connection: Connection, batches: Sequence[tuple[Table, Rows]], where_absent: bool) -> None:
    # The driver's own types are the tables' types on PostgreSQL (UUID, bytes, instants with a zone), so nothing is lost by going to it
    # directly; and its pipeline spares a wait, and a fight for the interpreter's lock, with every statement.
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.pipeline(), driver.cursor() as cursor:
            for table, rows in batches:
                columns = tuple(column.name for column in table.columns if column.name in rows[0])
                values = itemgetter(*columns)
                for count, block in _in_blocks(rows, len(columns)):
                    statement = _statement(connection.dialect, table, columns, where_absent, count)
                    cursor.execute(statement, [value for row in block for value in values(row)])
    except psycopg.IntegrityError as error:
        raise IntegrityError(None, None, type(error)()) from None
    except psycopg.OperationalError as error:
        raise OperationalError(None, None, type(error)()) from None


def _in_blocks(rows: Rows, width: int) -> Iterator[tuple[int, Rows]]:
    """Yield the rows in blocks of few sizes, so that few statements serve all, none with more parameters than the driver remembers."""
    most = 1 << (MOST_PARAMETERS // width).bit_length() - 1
    start = 0
    while start < len(rows):
        count = min(most, 1 << (len(rows) - start).bit_length() - 1)
        yield count, rows[start : start + count]
        start += count


@cache
def _statement(dialect: Dialect, table: Table, columns: tuple[str, ...], where_absent: bool, count: int) -> bytes:
    compiled = _insert(table, where_absent).inline().compile(dialect=dialect, column_keys=list(columns))
    parts = _VALUES.fullmatch(_NAMED.sub("%s", str(compiled)))
    if parts is None:
        raise ValueError("an insert of one row has one list of values")
    head, values, tail = parts.groups()
    return f"{head}{', '.join([values] * count)}{tail}".encode()


def _insert(table: Table, where_absent: bool) -> Insert:
    # Both databases spell it alike.
    return insert(table).on_conflict_do_nothing() if where_absent else insert(table)
