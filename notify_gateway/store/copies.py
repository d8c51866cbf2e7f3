# SPDX-License-Identifier: MIT
"""Whole copies of a database in use, and putting one back into an empty one: SQLite by itself, PostgreSQL by its own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url

from notify_gateway.store.engine import open_engine, reading

T = TypeVar("T")
Told = Callable[[int, int | None], None]
"""Told now and then: bytes written, and of how many where that is known."""

KINDS = {"sqlite": "sqlite3", "postgresql": "pgdump"}
"""The kinds of database, with how the file of a copy ends."""
_PAGES = 2048


class CopyFailed(Exception):
    """A copy was not made, or not put back; the message says why and holds nothing of what the database holds."""


def kind_of(url: str) -> str:
    """Return the kind of database that the URL leads to, one of ``KINDS``."""
    return make_url(url).get_backend_name()


def copy_out(url: str, target: Path, *, look: Callable[[Connection], T], told: Told) -> T:
    """Write the database, as it was at one instant, into a file that is not there yet; return what ``look`` saw at that instant.

    Nobody who works on the database waits for it. The file is on disk, readable by its owner alone. Raises ``CopyFailed``, ``OSError``.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    engine = open_engine(url, pool_size=1)
    try:
        found = (_copy_sqlite if kind_of(url) == "sqlite" else _copy_postgres)(engine, target, look, told)
    finally:
        engine.dispose()
    sync(target)
    return found


def put_back(url: str, source: Path, told: Told) -> None:
    """Fill the empty database from a file that ``copy_out`` wrote. Raises ``CopyFailed``, also where the database is not empty."""
    if source.suffix.lstrip(".") != KINDS[kind_of(url)]:
        raise CopyFailed(f"{source.name} is the copy of another kind of database than the one that is set")
    require_empty(url)
    if kind_of(url) == "sqlite":
        target = Path(make_url(url).database or "")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file, source.open("rb") as held:
            shutil.copyfileobj(held, file, 1 << 20)
        sync(part)
        os.replace(part, target)
        sync(target.parent)
        return
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={_conninfo(url)}", str(source)]
    _run("pg_restore", url, arguments, lambda: told(0, source.stat().st_size))


def require_empty(url: str) -> None:
    """Raises ``CopyFailed`` when the database holds a table, or where its file would be there is one."""
    if kind_of(url) == "sqlite":
        name = make_url(url).database or ""
        # What an earlier database left beside its file would be taken for this one's.
        for left in (name, f"{name}-wal", f"{name}-shm", f"{name}-journal"):
            if Path(left).exists():
                raise CopyFailed(f"{left} is there already")
        return
    engine = open_engine(url, pool_size=1)
    try:
        with reading(engine).connect() as connection:
            if inspect(connection).get_table_names():
                raise CopyFailed("the database holds tables already")
    finally:
        engine.dispose()


def sync(path: Path) -> None:
    """The file's bytes, or the folder's names, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_sqlite(engine: Engine, target: Path, look: Callable[[Connection], T], told: Told) -> T:
    with reading(engine).begin() as connection:
        # The first statement chooses the instant: what is written afterwards is not seen, and does not make the copy begin anew.
        page: int = connection.execute(text("PRAGMA page_size")).scalar_one()
        found = look(connection)
        source: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=_PAGES, progress=lambda _, left, whole: told((whole - left) * page, whole * page))
            # One file, with none beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            if copy.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise CopyFailed("the database is damaged: SQLite's own check of the copy fails")
    return found


def _copy_postgres(engine: Engine, target: Path, look: Callable[[Connection], T], told: Told) -> T:
    url = engine.url.render_as_string(hide_password=False)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        found = look(connection)
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={target}", f"--dbname={_conninfo(url)}"]
        _run("pg_dump", url, arguments, lambda: told(target.stat().st_size, None))
    return found


def _conninfo(url: str) -> str:
    """Return where the database is, without the password: that goes by the environment, for everybody may read a command line."""
    parts = make_url(url)
    where = {"host": parts.host, "port": parts.port, "user": parts.username, "dbname": parts.database, **parts.query}
    return make_conninfo("", **{name: str(value) for name, value in where.items() if value is not None})


def _run(name: str, url: str, arguments: Sequence[str], told: Callable[[], None]) -> None:
    program = shutil.which(name)
    if program is None:
        raise CopyFailed(f"the program {name} is not on this machine: install PostgreSQL's client programs, of the server's version")
    password = make_url(url).password
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    command = [program, "--no-password", *arguments]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 - PostgreSQL's own program, arguments of ours
        command, env=environment, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE
    ) as process:
        complaint = b""
        try:
            while process.returncode is None:
                try:
                    complaint = process.communicate(timeout=1)[1]
                except subprocess.TimeoutExpired:
                    told()
        finally:
            process.kill()
    if process.returncode:
        # Further lines may quote rows.
        first = complaint.decode("utf-8", "replace").partition("\n")[0][:300].strip()
        raise CopyFailed(f"{name} ended with {process.returncode}: {first}")
