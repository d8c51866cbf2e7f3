# SPDX-License-Identifier: MIT
"""The whole service for tests: set up as an operator would, started by its own commands, supervised as the compose file does."""

from __future__ import annotations

import hashlib
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, MetaData, func, literal, select, union_all

from mappings.postcodes import compile_table, demonstration_source
from notify_gateway import runtime as composition
from notify_gateway.domain.model import OrganisationType
from notify_gateway.privacy.recipients import RecipientPrivateKey, RecipientPurpose, Suite
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store.engine import reading
from notify_gateway.store.migrate import upgrade_all
from notify_gateway.store.tables import deliveries, messages
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.gateway import Gateway
from tests.support.answers import Acceptance, in_parallel, issue_codes
from tests.support.messages import Message
from tests.support.receiver import RecordingReceiver
from tests.support.services import GaveUpWaiting, Process, Supervisor, answers, base_environment, eventually, free_port

__all__ = ["PULL", "WEBHOOK", "Acceptance", "RunningService", "a_message_for", "in_parallel", "issue_codes"]

PULL, WEBHOOK = "E06000004", "E06000002"
POSTCODES = {PULL: "TS18 1LD", WEBHOOK: "TS1 2QJ"}
DELIVERED = ("offered", "received", "acknowledged")


class RunningService:
    """One service: embedded (SQLite, one process) without URLs; else gateways, worker, scheduler and sequencer, each a process.

    The trusts RXX and RYY, an authority that collects (``PULL``) and one with a webhook (``WEBHOOK``), each with a working key (hybrid) and
    a recovery key (X25519), are on it. ``collected`` and ``receiver.applied`` are what the two authorities hold, by delivery id.
    ``alongside`` are further processes that the supervisor starts again when they die; ``embedded_as`` is the module of the one process;
    ``receiver`` is one that a test has made, and is closed here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str | None = None,
        shred_url: str | None = None,
        broker_url: str | None = None,
        gateways: int = 2,
        environment: Mapping[str, str] | None = None,
        alongside: Sequence[Process] = (),
        embedded_as: str = "tests.support.embedded",
        receiver: RecordingReceiver | None = None,
    ) -> None:
        self.folder = folder
        self.embedded, self._embedded_as = database_url is None, embedded_as
        self.data_dir, self.logs, self.temporary = folder / "data", folder / "logs", folder / "tmp"
        for made in (self.data_dir, self.logs, self.temporary):
            made.mkdir(parents=True)
        self.ports = [free_port() for _ in range(1 if self.embedded else gateways)]
        self.base_url = f"http://127.0.0.1:{self.ports[0]}"
        values = {
            "deployment": Deployment.TEST.value,
            "data_dir": str(self.data_dir),
            "base_url": self.base_url,
            "webhook_allow_private": "true",
            "database_url": database_url,
            "shred_database_url": shred_url,
            "broker_url": broker_url,
        }
        self._values = {name: value for name, value in values.items() if value is not None}
        self.settings = Settings.model_validate(self._values)
        self.environment = base_environment() | {f"NOTIFY_GATEWAY_{name.upper()}": value for name, value in self._values.items()}
        self.environment |= {"TMPDIR": str(self.temporary)} | dict(environment or {})
        self.receiver = receiver or RecordingReceiver()
        self.collected: dict[str, bytes] = {}
        self.unfinished: set[str] = set()
        self._held: dict[Engine, MetaData] = {}
        self._closing = ExitStack()
        self._closing.callback(self.receiver.close)
        self._set_up()
        self.processes = self._processes()
        self.supervisor = Supervisor([*self.processes.values(), *alongside])
        self.clients = [httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) for port in self.ports]

    # Life

    def __enter__(self) -> Self:
        for process in self.processes.values():
            process.start(wait=False)
            self._closing.callback(process.stop)
        self._closing.enter_context(self.supervisor)
        self.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.supervisor.stop()
        for process in self.processes.values():
            process.begin_to_end()
        self._closing.close()
        self.runtime.close()

    def wait_ready(self, within: float = 60.0) -> None:
        """Return when every gateway says that the service can keep its promises."""
        for port in self.ports:
            try:
                eventually(partial(answers, f"http://127.0.0.1:{port}/_status"), within=within, what=f"the gateway on {port} healthy")
            except GaveUpWaiting as error:
                raise GaveUpWaiting(f"{error}\n{self.output()[-4000:]}") from None

    def output(self) -> str:
        """Return what all processes have written."""
        return "\n".join(process.output for process in self.processes.values())

    # The trust's side

    def post(
        self,
        message: Message | bytes,
        *,
        gateway: int = 0,
        token: str | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        client: httpx2.Client | None = None,
        path: str = "/fhir/R4/$process-message",
    ) -> httpx2.Response:
        """Post a message as the trust RXX would; a header given as None is left out."""
        sent: dict[str, str | None] = {
            "Authorization": f"Bearer {self.trust_token if token is None else token}",
            "Content-Type": "application/fhir+json",
            "X-Request-ID": request_id or str(uuid4()),
            "X-Correlation-ID": str(uuid4()),
            **(headers or {}),
        }
        body = message.bytes() if isinstance(message, Message) else message
        kept = {name: value for name, value in sent.items() if value is not None}
        return (client or self.clients[gateway % len(self.clients)]).post(path, content=body, headers=kept)

    def get(self, path: str, token: str | None = None, *, gateway: int = 0) -> httpx2.Response:
        """GET a path with the token of the trust RXX, or another."""
        bearer = {"Authorization": f"Bearer {self.trust_token if token is None else token}"}
        return self.clients[gateway % len(self.clients)].get(path, headers=bearer)

    def task(self, task_id: str) -> dict[str, Any]:
        """Return the Task as the trust sees it."""
        response = self.get(f"/fhir/R4/Task/{task_id}")
        assert response.status_code == 200, response.text
        task: dict[str, Any] = response.json()
        return task

    def receipt(self, task_id: str, within: float = 10.0) -> tuple[bytes, str]:
        """Return leaf and receipt of the acceptance, once the log has it."""
        response = self.when(200, lambda: self.get(f"/fhir/R4/Task/{task_id}/$receipt"), within=within)
        leaf, receipt = response.json()["parameter"]
        return b64decode(leaf["valueBase64Binary"]), receipt["valueString"]

    @staticmethod
    def when(status: int, ask: Callable[[], httpx2.Response], within: float = 10.0) -> httpx2.Response:
        """Ask until the answer has this status, and return it."""

        def answered() -> httpx2.Response | None:
            response = ask()
            return response if response.status_code == status else None

        found = eventually(answered, within=within, every=0.05, what=f"an answer with status {status}")
        assert found is not None
        return found

    # The authorities' side

    def authority(self, method: str, path: str, *, token: str | None = None, json: object = None) -> httpx2.Response:
        """Call the collection point as the authority that collects, or with another token."""
        bearer = {"Authorization": f"Bearer {self.pull_token if token is None else token}"}
        return self.clients[0].request(method, f"/authority/v1/{path}", headers=bearer, json=json)

    def waiting(self) -> list[dict[str, Any]]:
        """Return the first page of what waits for the authority that collects."""
        response = self.authority("GET", "deliveries?limit=200")
        assert response.status_code == 200, response.text
        listed: list[dict[str, Any]] = response.json()["deliveries"]
        return listed

    def offered(self, reference: str, within: float = 20.0) -> str:
        """Return the id of the delivery of a notification, once it waits for the authority that collects."""
        found = eventually(lambda: [item for item in self.waiting() if item["reference"] == reference], within=within, what="offered")
        return str(found[0]["delivery_id"])

    def confirm(self, delivery_id: str, digest: str) -> httpx2.Response:
        """Confirm that the authority holds the document of that SHA-256 (hex)."""
        return self.authority("POST", f"deliveries/{delivery_id}/received", json={"digest": digest})

    def collect(self, delivery_id: str) -> bytes:
        """Fetch, confirm and acknowledge one delivery, apply it once, and return the document."""
        document = self.authority("GET", f"deliveries/{delivery_id}")
        assert document.status_code == 200, document.text
        self.collected.setdefault(delivery_id, document.content)
        self.unfinished.add(delivery_id)
        confirmed = self.confirm(delivery_id, hashlib.sha256(document.content).hexdigest())
        assert confirmed.status_code == 200, confirmed.text
        acknowledged = self.authority("POST", f"deliveries/{delivery_id}/acknowledge")
        assert acknowledged.status_code == 200, acknowledged.text
        self.unfinished.discard(delivery_id)
        return document.content

    def collect_all(self) -> int:
        """Collect whatever waits, after finishing what an error broke off; return how many those were that waited."""
        count = 0
        for delivery_id in list(self.unfinished):
            self.collect(delivery_id)
        while listed := self.waiting():
            for item in listed:
                self.collect(item["delivery_id"])
            count += len(listed)
        return count

    def wait_until_delivered(self, count: int, within: float = 40.0) -> None:
        """Return when ``count`` deliveries have left the service: offered to who collects, confirmed by who has a webhook."""
        wanted = deliveries.c.state.in_(DELIVERED)

        def left() -> bool:
            with reading(self.gateway.engine).begin() as connection:
                return connection.scalar(select(func.count()).select_from(deliveries).where(wanted)) == count

        try:
            eventually(left, within=within, every=0.1, what=f"{count} deliveries left")
        except GaveUpWaiting as error:
            raise GaveUpWaiting(f"{error}; they stand: {self.states()}\n{self.output()[-4000:]}") from None

    # What the service holds

    def states(self) -> dict[str, int]:
        """Return how many deliveries stand in each state."""
        with reading(self.gateway.engine).begin() as connection:
            rows = connection.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state))
            return {row[0]: row[1] for row in rows}

    def accepted(self) -> set[UUID]:
        """Return the notifications that have a message."""
        with reading(self.gateway.engine).begin() as connection:
            return set(connection.scalars(select(messages.c.notification_id)))

    def row_counts(self) -> dict[str, int]:
        """Return the number of rows of every table of both databases, as the databases themselves list them."""
        return {**self._count(self.gateway.engine), **self._count(self.gateway.shred_engine)}

    def _count(self, engine: Engine) -> dict[str, int]:
        with reading(engine).begin() as connection:
            if engine not in self._held:
                self._held[engine] = MetaData()
                self._held[engine].reflect(connection)
            tables = self._held[engine].tables
            counted = union_all(*(select(literal(name), func.count()).select_from(table) for name, table in tables.items()))
            return {row[0]: row[1] for row in connection.execute(counted)}

    # Set-up

    def _set_up(self) -> None:
        composition.make_keys(self.settings)
        upgrade_all(self.settings.main_url, self.settings.shred_url)
        compile_table(demonstration_source(), self.settings.postcodes, edition="demonstration")
        self.runtime = composition.Runtime.open(self.settings)
        self.gateway: Gateway = self.runtime.gateway
        self.receiver.key = Ed25519PublicKey.from_public_bytes(self.runtime.public.gateway.raw)
        for ods in ("RXX", "RYY"):
            onboard.register_trust(
                self.gateway, ods=ods, name=f"Trust {ods}", organisation_type=OrganisationType.NHS_TRUST, actor="operator"
            )
        self.trust_token, self.other_trust_token = self.new_token("trust", "RXX"), self.new_token("trust", "RYY")
        self.keys: dict[str, list[RecipientPrivateKey]] = {}
        for gss, channel, url in ((PULL, "pull", None), (WEBHOOK, "webhook", self.receiver.url)):
            onboard.register_authority(
                self.gateway, gss=gss, custody="authority-held", channel=channel, route={"url": url}, actor="operator"
            )
            self.keys[gss] = [
                RecipientPrivateKey.generate(gss, RecipientPurpose.WORKING, suite=Suite.MLKEM768_X25519),
                RecipientPrivateKey.generate(gss, RecipientPurpose.RECOVERY, suite=Suite.X25519),
            ]
            for key in self.keys[gss]:
                onboard.register_key(self.gateway, key=key.public(), actor="operator")
        self.pull_token, self.webhook_token = self.new_token("authority", PULL), self.new_token("authority", WEBHOOK)

    @cached_property
    def ig_token(self) -> str:
        """A token of a reader of the log."""
        onboard.register_ig(self.gateway, code="dpo", name="Data Protection Officer", actor="operator")
        return self.new_token("ig", "dpo")

    def new_token(self, kind: str, code: str, lasts: timedelta | None = None) -> str:
        """Issue a token of an organisation that is on the service."""
        return onboard.issue_token(self.gateway, kind=kind, code=code, lasts=lasts, actor="operator").text

    def _processes(self) -> dict[str, Process]:
        if self.embedded:
            return {"embedded": self._process("embedded", self._embedded_as, str(self.ports[0]))}
        commands: dict[str, tuple[str, ...]] = {f"gateway-{n}": ("serve", "--port", str(port)) for n, port in enumerate(self.ports, 1)}
        commands |= {"worker": ("worker",), "scheduler": ("schedule",), "sequencer": ("sequence",)}
        return {name: self._process(name, "notify_gateway.cli.main", *arguments) for name, arguments in commands.items()}

    def _process(self, name: str, *module: str) -> Process:
        command = [sys.executable, "-m", *module]
        return Process(command, name=name, log=self.logs / f"{name}.log", env=self.environment, cwd=self.temporary)


def a_message_for(message: Message, gss: str) -> Message:
    """Make the child of ``message`` live where ``gss`` is the responsible authority, and address the message to it."""
    return message.for_child(postcode=POSTCODES[gss]).to_authority(gss)


def plain_url(url: str) -> str:
    """Return the URL of a PostgreSQL database as its own tools take it."""
    return url.replace("postgresql+psycopg:", "postgresql:", 1)
