# SPDX-License-Identifier: MIT
"""Real PostgreSQL and Redis for tests: a running server where that is safe, a private one on a free port otherwise."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import redis

from tests.support.processes import Process, Supervisor, base_environment
from tests.support.waiting import ROOT, GaveUpWaiting, answers, eventually, find_program, free_port, listens, need_program

__all__ = [
    "ROOT",
    "GaveUpWaiting",
    "PostgresServer",
    "PrivatePostgres",
    "PrivateRedis",
    "Process",
    "Supervisor",
    "answers",
    "base_environment",
    "eventually",
    "find_program",
    "free_port",
    "listens",
    "need_program",
    "running_postgres",
]

RUNNING_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
OLDEST_POSTGRES = 140000


def running_postgres() -> PostgresServer | None:
    """Return the server that ``NOTIFY_GATEWAY_TEST_POSTGRES`` names, else one on 127.0.0.1:5432 that trusts ``postgres``, else None.

    The word ``private`` instead of a URL asks for None. Raises ``psycopg.OperationalError`` when a server is named and does not answer.
    """
    named = os.environ.get("NOTIFY_GATEWAY_TEST_POSTGRES")
    if named == "private":
        return None
    if named:
        admin = re.sub(r"^postgresql\+psycopg:", "postgresql:", named)
        psycopg.connect(admin, connect_timeout=5).close()
        return PostgresServer(admin)
    try:
        with psycopg.connect(RUNNING_POSTGRES, connect_timeout=2) as connection:
            new_enough = connection.info.server_version >= OLDEST_POSTGRES
    except psycopg.OperationalError:
        return None
    return PostgresServer(RUNNING_POSTGRES) if new_enough else None


class PostgresServer:
    """A PostgreSQL server on which tests make databases of their own; nothing else on it is touched."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    def create_database(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of one to which nobody is connected, and return its SQLAlchemy URL."""
        source = "template0" if template is None else template.partition("?")[0].rpartition("/")[2]
        name = f"notify_gateway_test_{secrets.token_hex(8)}"
        with psycopg.connect(self.admin_url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" ENCODING UTF8'.encode())
        return re.sub(r"^postgresql:(.*)/[^/?]*(\?.*)?$", rf"postgresql+psycopg:\1/{name}\2", self.admin_url)

    def drop_database(self, url: str) -> None:
        """Drop a database that ``create_database`` made, whoever is still connected to it."""
        name = re.search(r"/(notify_gateway_test_[0-9a-f]{16})(\?|$)", url)
        if name is None:
            raise ValueError("not a database that a test made")
        with psycopg.connect(self.admin_url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name[1]}" WITH (FORCE)'.encode())

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Lend a fresh database, empty or a copy: its SQLAlchemy URL; it is dropped afterwards."""
        url = self.create_database(template)
        try:
            yield url
        finally:
            self.drop_database(url)

    @contextmanager
    def logins(self, parts: Iterable[str]) -> Iterator[dict[str, str]]:
        """Lend names for logins of the parts of the service; whoever was let in under them is gone afterwards. Databases go first."""
        names = {part: f"notify_{part}_{secrets.token_hex(8)}" for part in parts}
        try:
            yield names
        finally:
            with psycopg.connect(self.admin_url, autocommit=True, connect_timeout=10) as connection:
                for name in names.values():
                    connection.execute(f'DROP ROLE IF EXISTS "{name}"'.encode())


class PrivatePostgres(PostgresServer):
    """A PostgreSQL cluster of its own in a temporary folder, on a free port, durable (fsync on), that may be killed and restarted.

    PostgreSQL refuses to run as root: there it runs as the system's ``postgres`` or ``nobody`` user.
    """

    def __init__(self) -> None:
        self.port = free_port()
        super().__init__(f"postgresql://postgres@127.0.0.1:{self.port}/postgres")
        self.folder = Path(tempfile.mkdtemp(prefix="notify-gateway-postgres-"))
        self._user: int | None = None
        self._group: int | None = None
        if os.geteuid() == 0:
            account = _unprivileged_account()
            self._user, self._group = account.pw_uid, account.pw_gid
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.data = self.folder / "data"
        options = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=64MB", "max_connections=100")
        self.process = Process(
            [need_program("postgres"), "-D", self.data, "-p", str(self.port), *(part for option in options for part in ("-c", option))],
            name="postgres",
            log=self.folder / "postgres.log",
            env=self._environment(),
            cwd=self.folder,
            ready=self._answers,
            user=self._user,
            group=self._group,
        )

    def start(self) -> PrivatePostgres:
        """Make the cluster at the first call, start the server and return when it answers."""
        if not self.data.exists():
            initdb = [
                need_program("initdb"),
                "-D",
                str(self.data),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ]
            done = subprocess.run(
                initdb,
                env=self._environment(),
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
                user=self._user,
                group=self._group,
                extra_groups=None if self._user is None else [],
            )
            if done.returncode != 0:
                raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
        self.process.start()
        return self

    def kill9(self) -> None:
        """Kill the server without warning and return when its children, which end by themselves, have let go of the cluster."""
        children = self._children()
        self.process.kill9(group=True)
        psutil.wait_procs(children, timeout=10)

    def restart(self) -> None:
        """Kill what runs and return when the server has recovered and answers."""
        self.kill9()
        self.process.start()

    def stop(self) -> None:
        """End the server and remove its folder."""
        children = self._children()
        self.process.kill9(group=True)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.admin_url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True) if self.process.alive else []

    def _environment(self) -> dict[str, str]:
        return base_environment() | {"HOME": str(self.folder), "TZ": "UTC"}


class PrivateRedis:
    """A Redis of its own on a free port, that may be killed, restarted and flushed.

    It keeps nothing on disk, so that a kill loses all that it held, unless ``keeps`` is true (append-only file).
    """

    def __init__(self, *, keeps: bool = False) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = Path(tempfile.mkdtemp(prefix="notify-gateway-redis-"))
        durability = ("--save", "", "--appendonly", "yes" if keeps else "no", "--appendfsync", "always")
        self.process = Process(
            [need_program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, *durability],
            name="redis",
            log=self.folder / "redis.log",
            cwd=self.folder,
            ready=self._answers,
        )

    def start(self) -> PrivateRedis:
        """Start the server and return when it answers."""
        self.process.start()
        return self

    def client(self) -> redis.Redis:
        """Return a new client; the caller closes it (``with``)."""
        return redis.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=2)

    def flushall(self) -> None:
        """Wipe everything that the server holds."""
        with self.client() as client:
            client.flushall()

    def kill9(self) -> None:
        """Kill the server without warning."""
        self.process.kill9()

    def restart(self) -> None:
        """Kill what runs and return when the server answers again."""
        self.process.restart()

    def stop(self) -> None:
        """End the server and remove its folder."""
        self.process.kill9(group=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as")
