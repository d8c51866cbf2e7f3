# SPDX-License-Identifier: MIT
"""An open gateway with one trust and two authorities, on each database; its clock is turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, func, select

from mappings.postcodes import compile_table, demonstration_source
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import OrganisationType
from notify_gateway.fhir.structure import check_structure
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, Suite
from notify_gateway.runtime import Runtime, make_keys
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store.migrate import Which
from notify_gateway.store.parties import Client, find_client
from notify_gateway.store.tables import shred_metadata
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.accept import Accepted, accept
from notify_gateway.use_cases.commit import Committer
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.prepare import Received
from tests.support.messages import Message
from tests.support.services import PostgresServer
from tests.support.templates import Templates

STOCKTON, MIDDLESBROUGH = "E06000004", "E06000002"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def move(self, by: timedelta) -> None:
        self.instant += by


@dataclass
class House:
    """The gateway under test and its surroundings."""

    runtime: Runtime
    clock: HandClock
    keys: dict[str, list[RecipientPrivateKey]]
    committer: Committer
    trust: Client = field(init=False)

    def __post_init__(self) -> None:
        with self.gateway.engine.begin() as connection:
            trust = find_client(connection, kind="trust", code="RXX")
        assert trust is not None
        self.trust = trust

    @property
    def gateway(self) -> Gateway:
        return self.runtime.gateway

    def received(self, message: Message, *, request_id: UUID | None = None) -> Received:
        return Received(PrivateBytes(message.bytes()), self.trust, request_id or uuid4(), uuid4())

    def accept(self, message: Message, *, request_id: UUID | None = None) -> Accepted:
        received = self.received(message, request_id=request_id)
        return asyncio.run(accept(self.gateway, self.committer, received, check_large=check_structure))

    def count(self, table: Table) -> int:
        engine = self.gateway.shred_engine if table.metadata is shred_metadata else self.gateway.engine
        with engine.begin() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> Iterator[House]:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    yield from furnished(tmp_path, templates, server)


def furnished(folder: Path, templates: Templates, server: PostgresServer | None) -> Iterator[House]:
    """Lend a house on the kind of database, with two authorities and a trust."""
    with ExitStack() as stack:
        urls = {}
        if server is not None:
            names: tuple[tuple[str, Which], ...] = (("database_url", "main"), ("shred_database_url", "shred"))
            urls = {name: stack.enter_context(templates.postgres(server, which)) for name, which in names}
        settings = Settings(data_dir=folder, deployment=Deployment.TEST, webhook_allow_private=True, **urls)  # type: ignore[arg-type]
        if server is None:
            templates.sqlite("main", settings.main_url)
            templates.sqlite("shred", settings.shred_url)
        yield from _furnished(settings)


def _furnished(settings: Settings) -> Iterator[House]:
    make_keys(settings)
    compile_table(demonstration_source(), settings.postcodes, edition="demonstration")
    clock = HandClock()
    runtime = Runtime.open(settings, clock)
    gateway = runtime.gateway
    onboard.register_trust(
        gateway, ods="RXX", name="Example Community NHS Trust", organisation_type=OrganisationType.NHS_TRUST, actor="test"
    )
    keys: dict[str, list[RecipientPrivateKey]] = {}
    for gss, channel, url in ((STOCKTON, "pull", None), (MIDDLESBROUGH, "webhook", "http://127.0.0.1:9/hook")):
        onboard.register_authority(gateway, gss=gss, custody="authority-held", channel=channel, route={"url": url}, actor="test")
        keys[gss] = [
            RecipientPrivateKey.generate(gss, RecipientPurpose.WORKING),
            RecipientPrivateKey.generate(gss, RecipientPurpose.RECOVERY, Suite.MLKEM768_X25519),
        ]
        for key in keys[gss]:
            onboard.register_key(gateway, key=key.public(), actor="test")
    committer = Committer(gateway)
    committer.start()
    try:
        yield House(runtime, clock, keys, committer)
    finally:
        committer.stop()
        runtime.close()
