# SPDX-License-Identifier: MIT
"""Inserting rows of several tables in one go: on PostgreSQL one exchange with the server instead of one for each table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import psycopg
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import IntegrityError, OperationalError

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
                cursor.executemany(_statement(connection.dialect, table, tuple(rows[0]), where_absent), rows)
    except psycopg.IntegrityError as error:
        raise IntegrityError(None, None, type(error)()) from None
    except psycopg.OperationalError as error:
        raise OperationalError(None, None, type(error)()) from None


@cache
def _statement(dialect: Dialect, table: Table, columns: tuple[str, ...], where_absent: bool) -> bytes:
    compiled = _insert(table, where_absent).inline().compile(dialect=dialect, column_keys=list(columns))
    return str(compiled).encode()


def _insert(table: Table, where_absent: bool) -> Insert:
    # Both databases spell it alike.
    return insert(table).on_conflict_do_nothing() if where_absent else insert(table)
