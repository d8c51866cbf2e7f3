# SPDX-License-Identifier: MIT
"""Runs the compose file's services without containers: their very commands, environments and health checks, on real servers.

What a container would see is translated and nothing else: container paths become folders below one temporary folder, ports of
containers become free ports of 127.0.0.1, names of services become that address. PostgreSQL, Redis and nginx are the machine's own.

    with NativeStack(tmp_path, postgres=postgres_server, redis=private_redis) as stack:
        stack.start()                                     # in the file's order; each is waited for as depends_on asks
        stack.run("gateway", "notify-gateway", "trusts", "list", "--json")      # as `docker compose run` would
        urlopen(stack.proxy.url + "/_status", context=stack.proxy.context())
        stack.instances["worker-1"].process.kill9()       # with `stack.supervised()` it comes back
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy.engine import make_url

from tests.support.composefile import our_services, read_compose
from tests.support.processes import Process, Supervisor, base_environment
from tests.support.proxy import NativeProxy
from tests.support.services import PostgresServer, PrivateRedis
from tests.support.waiting import ROOT, GaveUpWaiting, eventually, free_port
from tools import make_secrets

WORKING_FOLDER = "/var/lib/notify-gateway"  # WORKDIR of the Dockerfile
HEALTHY_WITHIN = 60.0
SERVERS = {"postgres", "shred", "redis"}
PARTS = ("service", "delivery", "opener", "sequencer")
TOKEN = "the server of the tests asks nobody for it"


@dataclass(frozen=True, slots=True)
class Instance:
    """One container's worth of a service: how it would be started, translated to this machine."""

    name: str
    service: str
    process: Process
    check: list[str]
    port: int | None

    @property
    def url(self) -> str:
        """Return the address on which this instance listens; raises ``ValueError`` when it has none."""
        if self.port is None:
            raise ValueError(f"{self.name} listens on no port")
        return f"http://127.0.0.1:{self.port}"

    def healthy(self) -> bool:
        """Run the health check of the compose file as the container would, and tell whether it ends with status 0."""
        done = subprocess.run(
            self.check, env=self.process.env, cwd=self.process.cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False
        )
        return done.returncode == 0


class NativeStack:
    """The services of the compose file on this machine. ``variables`` are those that the file takes from the shell or ``.env``."""

    def __init__(
        self,
        folder: Path,
        *,
        postgres: PostgresServer,
        redis: PrivateRedis,
        variables: Mapping[str, str] | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self.folder = folder
        self.document = read_compose(variables=variables)
        self.secrets = folder / "secrets"
        self.instances: dict[str, Instance] = {}
        self.database_url = self.shred_database_url = ""
        self._postgres, self._redis = postgres, redis
        self._without = {*without, *SERVERS}
        self._ours = {name: service for name, service in our_services(self.document).items() if name not in self._without}
        self._proxy_port = free_port()
        self._proxy: NativeProxy | None = None
        self._done: set[str] = set(SERVERS)
        self._begun: list[str] = []
        self._stack = ExitStack()
        self._read_only: list[Path] = []
        self._volumes = Path()

    def __enter__(self) -> Self:
        self._volumes = Path(tempfile.mkdtemp(prefix="ng-"))  # short: the path of a socket may have 107 characters
        self._stack.callback(shutil.rmtree, self._volumes, ignore_errors=True)
        logins = self._stack.enter_context(self._postgres.logins(PARTS))
        self.database_url = self._stack.enter_context(self._postgres.database())
        self.shred_database_url = self._stack.enter_context(self._postgres.database())
        make_secrets.make(self.secrets)
        urls = {"database_url": self.database_url, "shred_database_url": self.shred_database_url, "broker_url": self._redis.url}
        for part, login in logins.items():
            urls |= {
                f"{part}_{name}": make_url(url).set(username=login, password=TOKEN).render_as_string(hide_password=False)
                for name, url in urls.items()
                if (self.secrets / f"{part}_{name}").exists()
            }
        for name, url in urls.items():
            (self.secrets / name).unlink()
            (self.secrets / name).write_text(f"{url}\n", encoding="utf-8")
        for service in self._ours:
            for number in range(1, self._replicas(service) + 1):
                self.instances[f"{service}-{number}"] = self._instance(service, number)
        gateways = [instance.port for instance in self.of("gateway") if instance.port is not None]
        self._proxy = NativeProxy(self.folder / "proxy", secrets=self.secrets, gateways=gateways, port=self._proxy_port)
        return self

    def __exit__(self, *_: object) -> None:
        for instance in self.instances.values():
            instance.process.begin_to_end()
        for instance in reversed(self.instances.values()):
            instance.process.stop()
        if self._proxy is not None:
            self._proxy.stop()
        self._stack.close()

    @property
    def proxy(self) -> NativeProxy:
        """Return the TLS proxy: callers use its ``url`` and ``context()``."""
        if self._proxy is None:
            raise RuntimeError("use the stack as a context manager")
        return self._proxy

    def of(self, service: str) -> list[Instance]:
        """Return the instances of a service."""
        return [instance for instance in self.instances.values() if instance.service == service]

    def lasting(self) -> list[Process]:
        """Return the processes that compose would restart."""
        return [instance.process for instance in self.instances.values() if not self._is_job(instance.service)]

    def supervised(self) -> Supervisor:
        """Return a supervisor, to be used in ``with``, that restarts our services as the file's restart policy does."""
        return Supervisor(self.lasting())

    def start(self, *services: str) -> None:
        """Start these services (none named: all without a profile) after what they depend on; return when all are healthy, or done.

        What does not depend on each other starts side by side. Raises ``GaveUpWaiting`` with the output of the one that is not healthy.
        """
        wanted = services or [name for name, described in self.document["services"].items() if "profiles" not in described]
        for service in sorted(wanted, key=self._depth):
            self._begin(service)
        self._settle(*self._begun)

    def restart(self, service: str) -> None:
        """End a service's processes in good order and start them again, as ``docker compose restart`` does; return when all are healthy."""
        for instance in self.of(service):
            instance.process.terminate(within=HEALTHY_WITHIN)
            instance.process.start(wait=False)
        for instance in self.of(service):
            self._await(instance)

    def run(self, service: str, *command: str, within: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run another command in a service's environment, as ``docker compose run`` does; return its output and status."""
        process = self._ours_first(service).process
        return subprocess.run(
            _program(list(command)), env=process.env, cwd=process.cwd, capture_output=True, text=True, timeout=within, check=False
        )

    def output(self) -> str:
        """Return everything that our services and the proxy have written so far."""
        return "".join(instance.process.output for instance in self.instances.values()) + self.proxy.logs()

    def written_outside_volumes(self) -> list[str]:
        """Return files that a service wrote where its container's file system is read-only; there should be none."""
        return sorted(str(file) for folder in self._read_only for file in folder.rglob("*") if file.is_file())

    def _needed_by(self, service: str) -> list[str]:
        return [*self.document["services"][service].get("depends_on", {})]

    def _depth(self, service: str) -> int:
        return 1 + max(map(self._depth, self._needed_by(service)), default=0)

    def _begin(self, service: str) -> None:
        if service in self._done or service in self._without:
            return
        self._done.add(service)
        needed = self._needed_by(service)
        for each in needed:
            self._begin(each)
        self._settle(*needed)
        if service == "proxy":
            self.proxy.start()
            return
        for instance in self.of(service):
            instance.process.start(wait=False)
        self._begun.append(service)

    def _settle(self, *services: str) -> None:
        for service in [each for each in services if each in self._begun]:
            for instance in self.of(service):
                self._await(instance)
            self._begun.remove(service)

    def _await(self, instance: Instance) -> None:
        process = instance.process
        if self._is_job(instance.service):
            status = process.wait(within=HEALTHY_WITHIN)
            if status != 0:
                raise GaveUpWaiting(f"{instance.name} ended with status {status}\n{process.output[-4000:]}")
            return
        try:
            eventually(lambda: instance.healthy() or not process.alive, within=HEALTHY_WITHIN, every=0.5, what=f"{instance.name} healthy")
        except GaveUpWaiting as error:
            raise GaveUpWaiting(f"{error}\n{process.output[-4000:]}") from None
        if not process.alive:
            raise GaveUpWaiting(f"{instance.name} ended with status {process.status}\n{process.output[-4000:]}")

    def _is_job(self, service: str) -> bool:
        return bool(self._ours[service]["restart"] == "no")

    def _replicas(self, service: str) -> int:
        return int(self._ours[service].get("deploy", {}).get("replicas", 1))

    def _ours_first(self, service: str) -> Instance:
        return self.of(service)[0]

    def _instance(self, service: str, number: int) -> Instance:
        described = self._ours[service]
        name = f"{service}-{number}"
        command = list(map(str, described["command"]))
        inside = int(command[command.index("--port") + 1]) if "--port" in command else None
        port = free_port() if inside is not None else None
        places = self._places(name, described)
        translate = partial(self._translate, places=places, ports={} if port is None else {str(inside): str(port)})
        env = base_environment() | {key: translate(str(value)) for key, value in described["environment"].items()}
        env["TMPDIR"] = places["/tmp"]
        process = Process(
            _program([translate(part) for part in command]),
            name=name,
            log=self.folder / f"{name}.log",
            env=env,
            cwd=Path(places[WORKING_FOLDER]),
        )
        check = _program([translate(part) for part in described.get("healthcheck", {}).get("test", ["CMD"])[1:]])
        return Instance(name, service, process, check, port)

    def _places(self, name: str, service: Mapping[str, Any]) -> dict[str, str]:
        """Return which folder or file of this machine stands for which path of the container."""
        root = self.folder / "roots" / name
        places = {path: str(root / path.lstrip("/")) for path in ("/tmp", WORKING_FOLDER, "/run/keys")}
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            places[target] = str(self._source(source))
        if places[WORKING_FOLDER] == str(root / WORKING_FOLDER.lstrip("/")):
            self._read_only.append(Path(places[WORKING_FOLDER]))
        for path in places.values():
            if not Path(path).exists():
                Path(path).mkdir(parents=True)
        for secret in service.get("secrets", []):
            source = secret if isinstance(secret, str) else secret["source"]
            file = self._source(self.document["secrets"][source]["file"])
            target = f"/run/secrets/{source}" if isinstance(secret, str) else secret["target"]
            places[target] = str(file)
            if target.startswith("/run/keys/"):
                shutil.copy2(file, Path(places["/run/keys"]) / Path(target).name)
        return places

    def _source(self, source: str) -> Path:
        if source.startswith("./deploy/secrets/"):
            return self.secrets / source.removeprefix("./deploy/secrets/")
        if source.startswith("."):
            return ROOT / source
        return Path(source) if source.startswith("/") else self._volumes / source

    def _translate(self, text: str, *, places: Mapping[str, str], ports: Mapping[str, str]) -> str:
        if text in ports:
            return ports[text]
        if text == "0.0.0.0":
            return "127.0.0.1"
        if text == self.document["services"]["proxy"]["networks"]["front"]["ipv4_address"]:
            return "127.0.0.1"
        text = re.sub(r"https://(proxy|localhost):8443\b", f"https://localhost:{self._proxy_port}", text)
        for path in sorted(places, key=len, reverse=True):
            if text == path or text.startswith(f"{path}/"):
                return places[path] + text.removeprefix(path)
        return text


def _program(command: list[str]) -> list[str]:
    """Return the command with our program's path, whether or not it is installed in the environment that runs the tests."""
    if not command or command[0] != "notify-gateway":
        return command
    installed = Path(sys.executable).with_name("notify-gateway")
    program = [str(installed)] if installed.exists() else [sys.executable, "-m", "notify_gateway.cli.main"]
    return [*program, *command[1:]]
