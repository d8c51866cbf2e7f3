# SPDX-License-Identifier: MIT
"""Engines for PostgreSQL and SQLite that keep the promise of durability on both."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import DateTime, Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.types import TypeDecorator

PINGED_AFTER = 0.5
"""A connection that rested for so many seconds is looked at before it is used again."""


class Instant(TypeDecorator[datetime]):
    """An instant in UTC: ``timestamptz`` on PostgreSQL, UTC text on SQLite; always timezone-aware in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse instants without a time zone, which have no meaning here."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Return the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def open_engine(url: str, *, pool_size: int = 8, by_index: bool = False) -> Engine:
    """Return an engine on which a commit that returned has reached the disk, and whose errors hold no parameters.

    PostgreSQL runs with ``synchronous_commit=on`` and bounded waits for statements and locks. SQLite runs in WAL mode with
    ``synchronous=FULL``; each transaction takes the write lock at its start, so that none fails half-way for want of it.

    ``by_index``: what has an index is read by it, for those who read tables through which rows rush; the planner takes these for empty.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _open_sqlite(url)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        connect_args={
            "connect_timeout": 5,
            "application_name": "notify_gateway",
            "options": "-c synchronous_commit=on -c statement_timeout=20000 -c lock_timeout=10000 -c timezone=UTC -c jit=off"
            + (" -c enable_seqscan=off" if by_index else ""),
        },
    )
    _ping_idle(engine)
    return engine


def _ping_idle(engine: Engine) -> None:
    # A connection that was in use a moment ago is taken to live: a look at each use would cost a round trip with every transaction.
    @event.listens_for(engine, "checkin")
    def _rest(_connection: object, record: Any) -> None:
        record.info["rested_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _look(connection: Any, record: Any, _fairy: object) -> None:
        if time.monotonic() - record.info.get("rested_at", math.inf) < PINGED_AFTER:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error:
            raise InvalidatePoolError from None  # another takes its place, and so it goes for the others that rested as long


def _open_sqlite(url: str) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 15, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        # The driver's own transaction handling begins too late (at the first write); SQLAlchemy's begin event below takes over.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A reader says so (execution option ``reading``) and does not queue behind the one writer.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def reading(engine: Engine) -> Engine:
    """Return a view of ``engine`` whose transactions only read, and on PostgreSQL spare themselves begin and commit."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(reading=True, isolation_level="AUTOCOMMIT")
    return engine.execution_options(reading=True)


def autocommitting(engine: Engine) -> Engine:
    """Return a view of ``engine`` for a single statement, which on PostgreSQL needs no begin and commit of its own to be durable."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine
