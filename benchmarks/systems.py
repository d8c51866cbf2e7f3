# SPDX-License-Identifier: MIT
"""The three systems that are measured, each started fresh for a run, on databases and a broker of its own, and stopped after it."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import delete

from benchmarks.promises import Promises
from mappings.postcodes import compile_table, demonstration_source
from notify_gateway import runtime
from notify_gateway.domain.model import OrganisationType
from notify_gateway.privacy.recipients import RecipientPrivateKey, RecipientPurpose
from notify_gateway.settings import Settings
from notify_gateway.store import guards
from notify_gateway.store.engine import open_engine
from notify_gateway.store.migrate import upgrade_all
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import onboard
from tests.support.services import PrivatePostgres, PrivateRedis, Process, answers, base_environment, free_port

TRUST, AUTHORITY = "RXX", "E06000004"
GATEWAYS = 2
POOL = ("--pool", "prefork", "--concurrency", "2")
"""The baseline's: Celery's default on two cores. In a few runs neither four processes nor eight threads were clearly faster."""
COMMAND = ("-m", "notify_gateway.cli.main")
ONE = {AUTHORITY: "deliveries"}
"""The one authority that most runs have, and the path of the receiver that its deliveries go to."""


@dataclass(frozen=True)
class Place:
    """What all systems share: the PostgreSQL server, the receiver, and a folder for files."""

    postgres: PrivatePostgres
    receiver_url: str
    folder: Path


@dataclass(frozen=True)
class Running:
    """A system that takes messages. ``parts`` are the process ids whose CPU time counts, ``promises`` what it must have kept."""

    token: str
    ports: list[int]
    parts: Mapping[str, list[int]]
    promises: Promises | None
    settings: Settings | None = None


System = Callable[[Place], AbstractContextManager[Running]]


@contextmanager
def _baseline(place: Place, door: str) -> Iterator[Running]:
    with ExitStack() as stack:
        database, broker = stack.enter_context(place.postgres.database()), _redis(stack)
        token = secrets.token_urlsafe(32)
        env = base_environment() | {
            "BASELINE_DATABASE": database,
            "BASELINE_BROKER": broker.url,
            "BASELINE_RECEIVER": f"{place.receiver_url}/deliveries",
            "BASELINE_TOKEN": token,
        }
        start = _Starter(stack, place.folder, env)
        start.once("tables", "-c", "from benchmarks.baseline.store import *; Base.metadata.create_all(open_engine())")
        ports = [free_port() for _ in range(GATEWAYS)]
        for port in ports:
            server = ("uvicorn", f"benchmarks.baseline.{door}:app", "--port", str(port), "--log-level", "warning", "--no-access-log")
            start("gateway", "-m", *server, url=f"http://127.0.0.1:{port}/_ping")
        celery = ("celery", "-A", "benchmarks.baseline.worker", "worker", *POOL, "--loglevel", "WARNING")
        start("worker", "-m", *celery)
        start.finish()
        yield Running(token, ports, start.pids | {"postgres": [place.postgres.process.pid], "redis": [broker.process.pid]}, None)


def baseline(place: Place) -> AbstractContextManager[Running]:
    """Run the plain baseline: gateways and a Celery worker, on PostgreSQL and Redis."""
    return _baseline(place, "gateway")


def lean_baseline(place: Place) -> AbstractContextManager[Running]:
    """Run the baseline with the lean front door."""
    return _baseline(place, "lean_gateway")


@contextmanager
def service(place: Place) -> Iterator[Running]:
    """Run the whole service as in production: gateways, worker, scheduler and sequencer, on PostgreSQL and Redis."""
    with _service(place, COMMAND) as (running, settings):
        yield replace(running, promises=Promises(settings, running.ports[0], running.token))


@contextmanager
def service_without_rate(place: Place) -> Iterator[Running]:
    """Run the same without the limit of a client's rate, for a backlog is larger than any burst."""
    with _service(place, COMMAND, more={"NOTIFY_GATEWAY_CLIENT_RATE": "0"}) as (running, settings):
        yield replace(running, promises=Promises(settings, running.ports[0], running.token))


def service_to(routes: Mapping[str, str]) -> System:
    """Return the whole service for the authorities that are named, each with the path of the receiver that its deliveries go to."""

    @contextmanager
    def started(place: Place) -> Iterator[Running]:
        with _service(place, COMMAND, routes=routes) as (running, settings):
            yield replace(running, settings=settings)

    return started


@contextmanager
def service_without_log(place: Place) -> Iterator[Running]:
    """Run the same without its audit log, and so without a sequencer and without anything that could be held against it."""
    with _service(place, ("-m", "benchmarks.log.unlogged"), logged=False) as (running, _):
        yield running


@contextmanager
def _service(
    place: Place,
    command: tuple[str, ...],
    *,
    logged: bool = True,
    routes: Mapping[str, str] = ONE,
    more: Mapping[str, str] | None = None,
) -> Iterator[tuple[Running, Settings]]:
    with ExitStack() as stack:
        broker = _redis(stack)
        urls = _databases(stack, place) | {"NOTIFY_GATEWAY_BROKER_URL": broker.url}
        settings, token, env = _onboard(stack, place, urls | dict(more or {}), routes)
        processes = [("worker", "worker"), ("scheduler", "schedule")]
        if logged:
            processes.append(("sequencer", "sequence"))
        else:
            _let_changes_go_untold(settings)
        start = _Starter(stack, place.folder, env)
        ports = [free_port() for _ in range(GATEWAYS)]
        for port in ports:
            start("gateway", *command, "serve", "--port", str(port), url=f"http://127.0.0.1:{port}/_status")
        for part, name in processes:
            start(part, *command, name)
        start.finish()
        parts = start.pids | {"postgres": [place.postgres.process.pid], "redis": [broker.process.pid]}
        yield Running(token, ports, parts, None), settings


def _let_changes_go_untold(settings: Settings) -> None:
    engine = open_engine(settings.main_url)
    with engine.begin() as connection:
        guards.take_down(connection)
        connection.execute(delete(audit_tables.pending))
    engine.dispose()


@contextmanager
def embedded(place: Place) -> Iterator[Running]:
    """Run the embedded default: one process, SQLite, the broker in memory."""
    with ExitStack() as stack:
        settings, token, env = _onboard(stack, place, {})
        start = _Starter(stack, place.folder, env)
        port = free_port()
        start("service", *COMMAND, "serve", "--port", str(port), url=f"http://127.0.0.1:{port}/_status")
        start.finish()
        yield Running(token, [port], start.pids, Promises(settings, port, token))


@contextmanager
def set_up_alone(place: Place) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Set the service up on PostgreSQL without starting it; lend its settings, and the environment of its commands."""
    with ExitStack() as stack:
        settings, _, env = _onboard(stack, place, _databases(stack, place))
        yield settings, env


@contextmanager
def onboarded_alone(place: Place) -> Iterator[Settings]:
    """Set the service up on PostgreSQL without starting it."""
    with set_up_alone(place) as (settings, _):
        yield settings


def _databases(stack: ExitStack, place: Place) -> dict[str, str]:
    """Return the settings that name two fresh databases."""
    names = ("NOTIFY_GATEWAY_DATABASE_URL", "NOTIFY_GATEWAY_SHRED_DATABASE_URL")
    return {name: stack.enter_context(place.postgres.database()) for name in names}


def _redis(stack: ExitStack) -> PrivateRedis:
    server = PrivateRedis()
    stack.callback(server.stop)
    return server.start()


def _onboard(
    stack: ExitStack, place: Place, urls: Mapping[str, str], routes: Mapping[str, str] = ONE
) -> tuple[Settings, str, dict[str, str]]:
    """Make keys, tables, one trust and authorities with webhooks; return settings, the trust's token and the environment."""
    data = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place.folder)))
    env = {**urls, "NOTIFY_GATEWAY_DATA_DIR": str(data), "NOTIFY_GATEWAY_DEPLOYMENT": "demonstration"}
    env |= {"NOTIFY_GATEWAY_WEBHOOK_ALLOW_PRIVATE": "true"}
    named = {name.removeprefix("NOTIFY_GATEWAY_").lower(): value for name, value in env.items()}
    settings = Settings.model_validate(named)
    runtime.make_keys(settings)
    upgrade_all(settings.main_url, settings.shred_url)
    compile_table(demonstration_source(), settings.postcodes, edition="demonstration")
    opened = runtime.Runtime.open(settings)
    gateway = opened.gateway
    try:
        kind = OrganisationType.NHS_TRUST
        onboard.register_trust(gateway, ods=TRUST, name="Example Community NHS Trust", organisation_type=kind, actor="bench")
        for gss, path in routes.items():
            route = {"url": f"{place.receiver_url}/{path}"}
            onboard.register_authority(gateway, gss=gss, custody="authority-held", channel="webhook", route=route, actor="bench")
            for purpose in (RecipientPurpose.WORKING, RecipientPurpose.RECOVERY):
                onboard.register_key(gateway, key=RecipientPrivateKey.generate(gss, purpose).public(), actor="bench")
        token = onboard.issue_token(gateway, kind="trust", code=TRUST, lasts=None, actor="bench").text
    finally:
        opened.close()
    return settings, token, base_environment() | env


class _Starter:
    """Starts the Python processes of a system side by side, and stops them with ``stack``."""

    def __init__(self, stack: ExitStack, folder: Path, env: Mapping[str, str]) -> None:
        self._stack, self._folder, self._env = stack, folder, env
        self._started: list[Process] = []
        self.pids: dict[str, list[int]] = {}

    def __call__(self, part: str, *command: str, url: str | None = None) -> None:
        log = self._folder / f"{part}-{secrets.token_hex(4)}.log"
        ready = None if url is None else lambda: answers(url)
        process = Process([sys.executable, *command], name=part, log=log, env=self._env, ready=ready)
        self._stack.callback(process.stop)
        process.start(wait=False)
        self._started.append(process)
        self.pids.setdefault(part, []).append(process.pid)

    def once(self, name: str, *command: str) -> None:
        process = Process([sys.executable, *command], name=name, log=self._folder / f"{name}.log", env=self._env).start()
        if process.wait() != 0:
            raise RuntimeError(process.output)

    def finish(self) -> None:
        for process in self._started:
            process.wait_ready()
