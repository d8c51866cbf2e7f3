# SPDX-License-Identifier: MIT
"""The stand on which the rows of the fault table are tried: the real service in its own processes, with a wire between the parts."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests.faults.receiver import Certificates, Misbehaving
from tests.support.service import RunningService
from tests.support.services import PrivatePostgres, PrivateRedis, Process, eventually
from tests.support.wire import Wire

PARTS = ("gateway-1", "gateway-2", "worker", "scheduler", "sequencer")
PRESSED = {"NOTIFY_GATEWAY_LEASE": "PT4S"}
"""For the short form: a worker's work is taken over sooner than the product's own 15 seconds."""


class Stand:
    """Two gateways, worker, scheduler and sequencer on a PostgreSQL and a Redis that may be killed; a receiver behind TLS.

    Between gateways and PostgreSQL (``gateway_database``), worker and PostgreSQL (``worker_database``), worker and
    scheduler and Redis (``broker``), and worker and receiver (``to_receiver``) is a wire. What is killed is started again by a supervisor.
    A fault that has no end of its own goes on for ``lasting`` seconds, a server hangs for ``pause`` seconds. With ``other_way``, rows do
    without tools that a machine may lack.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lasting: float = 6.0,
        pause: float = 30.0,
        other_way: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self._environment = folder, dict(environment or {})
        self.lasting, self.pause, self.other_way = lasting, pause, other_way
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._closing.close()
            raise
        return self

    def _open(self) -> None:
        self.postgres, self.redis = PrivatePostgres(), PrivateRedis()
        self._closing.callback(self.postgres.stop)
        self._closing.callback(self.redis.stop)
        self.postgres.start()
        self.redis.start()
        self.certificates = Certificates.make(self.folder / "certificates")
        self.tls = self.certificates.context()
        self.receiver = Misbehaving()
        self.gateway_database, self.worker_database = self._wire(self.postgres.port), self._wire(self.postgres.port)
        self.broker = self._wire(self.redis.port)
        self.to_receiver = Wire(self.receiver.port, tls=self.tls)
        self._closing.callback(self.to_receiver.close)
        self.receiver.public_url = f"https://localhost:{self.to_receiver.port}/deliveries"
        self.database_url, shred = self.postgres.create_database(), self.postgres.create_database()
        self.service = RunningService(
            self.folder / "it",
            database_url=self.database_url,
            shred_url=shred,
            broker_url=self.redis.url,
            environment=self._environment | {"SSL_CERT_FILE": str(self.certificates.ca)},
            alongside=[self.redis.process],
            receiver=self.receiver,
        )
        for name, process in self.service.processes.items():
            database = {"worker": self.worker_database}.get(name) or (self.gateway_database if name.startswith("gateway") else None)
            if database is not None:
                process.env["NOTIFY_GATEWAY_DATABASE_URL"] = re.sub(r":\d+/", f":{database.port}/", self.database_url)
        for process in (self.worker, self.scheduler):
            process.env["NOTIFY_GATEWAY_BROKER_URL"] = f"redis://127.0.0.1:{self.broker.port}/0"
        self._set_up()
        self._closing.enter_context(self.service)

    def _set_up(self) -> None:
        """The service is set up as rows of this stand need it; nothing of it runs yet."""

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def _wire(self, target: int) -> Wire:
        wire = Wire(target)
        self._closing.callback(wire.close)
        return wire

    @property
    def worker(self) -> Process:
        """The worker."""
        return self.service.processes["worker"]

    @property
    def scheduler(self) -> Process:
        """The scheduler."""
        return self.service.processes["scheduler"]

    def collect(self) -> None:
        """Fetch what waits for the authorities that come for it."""
        self.service.collect_all()

    def forget(self) -> None:
        """What the authorities hold and what came to them is counted from here; what still waited for one is collected first."""
        self.collect()
        for held in (self.service.collected, self.receiver.applied, self.receiver.posts, self.receiver.refused, self.receiver.changed):
            held.clear()

    def kill(self, *names: str) -> None:
        """Kill these parts without warning; they are started again."""
        for name in names:
            self.service.processes[name].kill9(group=True)

    @contextmanager
    def paused(self, process: Process) -> Iterator[None]:
        """Hold a process still (SIGSTOP)."""
        pid = process.pid
        process.signal(19)
        try:
            yield
        finally:
            if process.alive and process.pid == pid:
                process.signal(18)

    @contextmanager
    def another(self, *arguments: str) -> Iterator[Process]:
        """Run one more process of ours, in the environment of all."""
        command = [sys.executable, "-m", "notify_gateway.cli.main", *arguments]
        log = self.folder / f"another-{arguments[0]}.log"
        process = Process(command, name=f"another {arguments[0]}", log=log, env=self.service.environment, cwd=self.service.temporary)
        try:
            yield process.start()
        finally:
            process.stop()

    @contextmanager
    def started_as(self, before: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
        """Run all parts in another way, ``before`` their arguments in the place of the module, and as usual again afterwards."""
        usual = {name: (list(process.command), dict(process.env)) for name, process in self.service.processes.items()}
        try:
            for process in self.service.processes.values():
                arguments = process.command[process.command.index("-m") + 2 :]
                process.command = [sys.executable, "-m", *(before or ["notify_gateway.cli.main"]), *arguments]
                process.env |= environment
            self.start_anew()
            yield
        finally:
            for name, (command, env) in usual.items():
                self.service.processes[name].command, self.service.processes[name].env = command, env
            self.start_anew()

    def start_anew(self) -> None:
        """Kill all parts of ours, and return when the gateways answer again."""
        self.kill(*PARTS)
        self.wait_back(*PARTS)

    def wait_back(self, *names: str) -> None:
        """Return when these parts run again and all gateways are healthy."""
        for name in names:
            process = self.service.processes[name]
            eventually(lambda process=process: process.alive, within=20, what=f"{name} started again")  # type: ignore[misc]
        self.service.wait_ready()
