# SPDX-License-Identifier: MIT
"""An open service with all that acts need: the application, the task, the command, an authority whose key the opener holds."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from celery import Celery
from fastapi import FastAPI
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from audit.events import Event, read_leaf
from notify_gateway import opener
from notify_gateway.app import create_app
from notify_gateway.cli.outbox import DatabaseOutbox
from notify_gateway.cli.reaching import reacher_of
from notify_gateway.cli.worker_values import worker_values
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.model import OrganisationType
from notify_gateway.runtime import open_sequencer, open_vault
from notify_gateway.store.engine import open_engine
from notify_gateway.store.tables import audit_tables, deliveries
from notify_gateway.use_cases import client_keys, collect, deliver, onboard, operators
from notify_gateway.use_cases.client_keys import Offer
from tests.support.messages import Message, a_message
from tests.support.signing import TrustKey, jwks
from tests.support.templates import Templates
from tests.support.waiting import eventually
from tests.use_cases.conftest import STOCKTON, House, furnished
from workers.app import make_celery
from workers.courier import Courier
from workers.pulse import Pulse
from workers.run import make_channels
from workers.tasks import register

HARTLEPOOL = "E06000001"
numbers = count(100)

Act = Callable[[], object]


@dataclass
class World:
    """An open service with all that acts need: the application, the task, the command, an authority whose key the opener holds."""

    house: House
    app: FastAPI
    http: TestClient
    celery: Celery
    tokens: dict[str, str]
    call: Callable[..., Any] = field(init=False)
    folder: Path = field(init=False)
    set_variable: Callable[[str, str], None] = field(init=False)
    restored: str | None = None

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, templates: Templates) -> Iterator[World]:
        """Open it on SQLite below ``folder``."""
        socket = folder / "opener.sock"
        with pytest.MonkeyPatch.context() as patched, ExitStack() as stack:
            patched.setenv("NOTIFY_GATEWAY_OPENER_SOCKET", str(socket))
            patched.setenv("NOTIFY_GATEWAY_OPERATIONS_PAGES", "network")
            house = stack.enter_context(contextmanager(furnished)(folder, templates, None))
            gateway = house.gateway
            onboard.register_authority(gateway, gss=HARTLEPOOL, custody="managed", channel="inbox", actor="test")
            onboard.register_key(gateway, key=opener.make_managed_key(folder / "opener", HARTLEPOOL).public(), actor="test")
            onboard.register_ig(gateway, code="dpo", name="Data Protection Officer", actor="test")
            holders = (("trust", "RXX"), ("authority", STOCKTON), ("authority", HARTLEPOOL), ("ig", "dpo"))
            tokens = {code: onboard.issue_token(gateway, kind=kind, code=code, lasts=None, actor="test").text for kind, code in holders}
            app, celery = create_app(house.runtime, reach=reacher_of(gateway)), make_celery("memory://")
            values = worker_values(gateway)
            courier = Courier(DatabaseOutbox(gateway), make_channels(values), lease=values.lease)
            register(celery, courier, Pulse())
            with _opening(house, folder / "opener", socket), TestClient(app, follow_redirects=False) as http:
                yield cls(house, app, http, celery, tokens)
            courier.close()

    @property
    def environment(self) -> Mapping[str, str]:
        """What a command needs to work on this service."""
        settings = self.house.gateway.settings
        named = {"NOTIFY_GATEWAY_DATA_DIR": str(settings.data_dir), "NOTIFY_GATEWAY_DEPLOYMENT": settings.deployment.value}
        return named | ({"NOTIFY_GATEWAY_DATABASE_URL": self.restored} if self.restored else {})

    def recorded(self) -> dict[UUID, Event]:
        """Return the events of the log and those that wait for it, by id."""
        engine = open_engine(self.restored or self.house.gateway.settings.main_url)
        with closing_engine(engine), engine.begin() as connection:
            columns = [select(each.c.event_id, each.c.leaf) for each in (audit_tables.pending, audit_tables.leaf)]
            rows = [row for statement in columns for row in connection.execute(statement)]
        return {row.event_id: read_leaf(row.leaf) for row in rows}

    def put_back(self) -> None:
        """From now on commands work on the database as it is now, while the service's own grows on."""
        settings = self.house.gateway.settings
        target = settings.data_dir / "restored.sqlite3"
        with sqlite3.connect(settings.data_dir / "main.sqlite3") as source, sqlite3.connect(target) as copy:
            source.backup(copy)
        self.restored = f"sqlite:///{target}"

    def sequenced(self) -> None:
        """Have all that was recorded in the signed log."""
        sequencer = open_sequencer(self.house.gateway.settings, self.house.clock)
        while sequencer.run_once():
            pass
        sequencer.close()

    def ask(self, method: str, path: str, whose: str, status: int = 200, **more: Any) -> Act:
        """Return the request with the token of that organisation; it must be answered so."""

        def do() -> object:
            headers = {"Authorization": f"Bearer {self.tokens[whose]}", **more.pop("headers", {})}
            answer = self.http.request(method, path, headers=headers, **more)
            assert answer.status_code == status, answer.text
            return answer

        return do

    def operate(self, path: str, page: str = "/ops", **fields: str) -> Act:
        """Return the sending of an operations page's form, signed in as an operator."""
        origin = {"Origin": "http://testserver"}
        token = operators.issue_token(self.house.gateway, name="alex", lasts=timedelta(hours=8), may_act=True, actor="test").text
        assert self.http.post("/ops/sign-in", data={"token": token}, headers=origin).status_code == 303
        hidden = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.http.get(page).text)
        assert hidden is not None

        def do() -> object:
            answer = self.http.post(path, data=fields | {"form_token": hidden[1]}, headers=origin)
            assert answer.status_code == 303, answer.text
            return answer

        return do

    def command(self, *arguments: object) -> Act:
        """Return the call of the command, which must end well."""

        def do() -> object:
            for variable, value in self.environment.items():
                self.set_variable(variable, value)
            done = self.call(*arguments)
            assert done.status == 0, done.err
            return done

        return do

    def queued(self, message: Message | None = None) -> UUID:
        """Have a message accepted; return its delivery."""
        accepted = self.house.accept(message or a_message())
        # Others may be due too: what an act before left lying, once enough time has passed.
        deliver.find_due(self.house.gateway)
        of_notification = select(deliveries.c.id).where(deliveries.c.notification_id == accepted.notification_id)
        with self.house.gateway.engine.begin() as connection:
            return UUID(str(connection.scalars(of_notification.order_by(deliveries.c.sequence.desc()).limit(1)).one()))

    def offered(self, message: Message | None = None) -> UUID:
        """Have a message accepted and offered; return its delivery."""
        (item,) = deliver.begin_attempts(self.house.gateway, [self.queued(message)], owner="test")
        deliver.finish_attempts(self.house.gateway, [AttemptResult(item.delivery_id, 1, AttemptOutcome.OFFERED, "ok")], owner="test")
        return item.delivery_id

    def received(self) -> UUID:
        """Have a delivery fetched and confirmed; return it."""
        delivery = self.offered()
        document = collect.fetch(self.house.gateway, authority=STOCKTON, delivery_id=delivery)
        digest = hashlib.sha256(document).digest()
        collect.confirm_received(self.house.gateway, authority=STOCKTON, delivery_id=delivery, digest=digest)
        return delivery

    def acknowledged(self) -> UUID:
        """Have a delivery taken up; return it."""
        delivery = self.received()
        collect.acknowledge(self.house.gateway, authority=STOCKTON, delivery_id=delivery)
        return delivery

    def trust_with_key(self) -> tuple[str, str, TrustKey]:
        """Bring a trust on with a key of its own; return ODS code, client id and key."""
        number = next(numbers)
        ods, key = f"T{number}", TrustKey(f"key-{number}", number=number)
        made = client_keys.invite(
            self.house.gateway,
            ods=ods,
            name="A trust",
            organisation_type=OrganisationType.NHS_TRUST,
            offer=Offer(jwks=jwks(key)),
            actor="operator:a",
        )
        client_keys.approve(self.house.gateway, ods=ods, fingerprints=[key.fingerprint], actor="operator:b")
        return ods, str(made.client_id), key


@contextmanager
def closing_engine(engine: Engine) -> Iterator[None]:
    """Give the connections back afterwards."""
    yield
    engine.dispose()


@contextmanager
def _opening(house: House, keys: Path, socket: Path) -> Iterator[None]:
    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    vault = open_vault(house.gateway.settings, house.clock)
    thread = Thread(target=loop.run_until_complete, args=(opener.serve(vault, keys, socket, stop),), daemon=True)
    thread.start()
    eventually(socket.exists, what="the opener listens")
    yield
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    vault.engine.dispose()
    vault.shred_engine.dispose()
