# SPDX-License-Identifier: MIT
"""A house with an authority on MESH, and all that carries to it and follows what was carried, moved by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from structlog.testing import capture_logs

from audit.events import Event, read_leaf
from notify_gateway.cli.outbox import DatabaseOutbox
from notify_gateway.domain.delivery import Outgoing
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, deliveries, mesh_messages
from notify_gateway.use_cases import deliver, onboard
from tests.support.mesh import OURS, ROUTE, THEIRS, WORKFLOW, MeshSandbox
from tests.support.messages import Message, a_message
from tests.use_cases.conftest import MIDDLESBROUGH, House
from workers.channels.mesh import MeshChannel
from workers.channels.mesh_mailbox import MeshMailbox
from workers.channels.mesh_poller import MeshPoller
from workers.channels.reference_mesh_receiver import receive
from workers.courier import Courier


@dataclass
class Carriage:
    """The house with Middlesbrough on MESH, a courier that sends, a poller that looks when it is told to."""

    house: House
    mesh: MeshSandbox
    folder: Path
    courier: Courier
    poller: MeshPoller

    def accept(self) -> Message:
        message = a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH)
        self.house.accept(message)
        return message

    def due(self) -> list[str]:
        return [each for hint in deliver.find_due(self.house.gateway) for each in hint.ids]

    def carry(self) -> int:
        """Let an hour pass and make one attempt for all that is due then."""
        self.house.clock.move(timedelta(hours=1))
        return self.courier.deliver(self.due())

    def begin(self) -> list[Outgoing]:
        """Begin attempts as a worker does that then is heard of no more."""
        return deliver.begin_attempts(self.house.gateway, [UUID(each) for each in self.due()], owner="lost")

    def look(self, after: timedelta = timedelta(minutes=20)) -> list[dict[str, Any]]:
        """Let time pass, look once, and return what was logged."""
        self.house.clock.move(after)
        with capture_logs() as told:
            self.poller.look()
        return [dict(line) for line in told]

    def rows(self) -> list[Any]:
        with reading(self.house.gateway.engine).begin() as connection:
            return list(connection.execute(select(deliveries).order_by(deliveries.c.sequence)))

    def carried(self) -> list[Any]:
        with reading(self.house.gateway.engine).begin() as connection:
            return list(connection.execute(select(mesh_messages).order_by(mesh_messages.c.delivery_id, mesh_messages.c.number)))

    def events(self, delivery: UUID) -> list[Event]:
        with reading(self.house.gateway.engine).begin() as connection:
            leaves = connection.scalars(select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival))
            read = [read_leaf(leaf) for leaf in leaves]
        return [event for event in read if event.subject == str(delivery)]

    def fetch(self) -> list[UUID]:
        """Fetch as the authority does, with the receiver that the documentation recommends."""
        with self.mesh.open(THEIRS) as mailbox:
            return list(receive(mailbox, gateway=OURS, workflow=WORKFLOW, folder=self.folder).held)

    def acknowledge_all(self) -> None:
        """Fetch as somebody does who confirms nothing."""
        with self.mesh.open(THEIRS) as mailbox:
            for message_id in mailbox.waiting(limit=100):
                mailbox.acknowledge(message_id)

    def say(self, content: object, *, mailbox: str = THEIRS, workflow: str = f"{WORKFLOW}_ACK") -> None:
        """Send something to the gateway's mailbox."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        with self.mesh.open(mailbox) as opened:
            opened.send(OURS, workflow, str(uuid4()), body)

    @property
    def left_in_our_mailbox(self) -> int:
        return len(self.mesh.arrived(OURS))


@contextmanager
def carrying(house: House, mesh: MeshSandbox, folder: Path) -> Iterator[Carriage]:
    """Put Middlesbrough on MESH; its system keeps what it fetches in ``folder``."""
    gateway = house.gateway
    onboard.register_authority(gateway, gss=MIDDLESBROUGH, custody="authority-held", channel="mesh", route=ROUTE, actor="test")
    access = mesh.access()
    courier = Courier(DatabaseOutbox(gateway), {"mesh": MeshChannel(access, lambda: MeshMailbox(access))}, lease=gateway.settings.lease)
    poller = MeshPoller(gateway, lambda: MeshMailbox(access), threading.Event())
    folder.mkdir()
    try:
        yield Carriage(house, mesh, folder, courier, poller)
    finally:
        courier.close()
