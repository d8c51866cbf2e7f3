# SPDX-License-Identifier: MIT
"""The whole service killed between handing over to MESH and recording it: the authority gets one message for each delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from notify_gateway.store.engine import reading
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import onboard
from tests.support.mesh import OURS, ROUTE, SHARED_KEY, THEIRS, WORKFLOW, MeshSandbox, Wire
from tests.support.messages import a_message
from tests.support.service import WEBHOOK, RunningService, a_message_for
from tests.support.waiting import eventually
from workers.channels.reference_mesh_receiver import receive

pytestmark = pytest.mark.faults


@pytest.fixture
def wire(mesh: MeshSandbox) -> Iterator[Wire]:
    made = Wire(mesh)
    yield made
    made.close()


@pytest.mark.parametrize("count", [20])
def test_killed_while_mesh_answers_it_sends_nothing_twice(mesh: MeshSandbox, wire: Wire, tmp_path: Path, count: int) -> None:
    settings = {"URL": wire.url, "MAILBOX": OURS, "PASSWORD": "password", "SHARED_KEY": SHARED_KEY.decode(), "TRACK_EVERY": "PT0.2S"}
    environment = {f"NOTIFY_GATEWAY_MESH_{name}": value for name, value in settings.items()} | {"NOTIFY_GATEWAY_LEASE": "PT2S"}
    wire.mute = True
    service = RunningService(tmp_path / "service", environment=environment)
    onboard.register_authority(service.runtime.gateway, gss=WEBHOOK, custody="authority-held", channel="mesh", route=ROUTE, actor="test")
    with service:
        for _ in range(count):
            assert service.post(a_message_for(a_message(), WEBHOOK)).status_code == 202
        eventually(wire.hanging.is_set, within=20, what="a message with MESH and no answer")
        service.processes["embedded"].kill9(group=True)
        wire.mute = False
        service.wait_ready()
        folder = tmp_path / "authority"
        folder.mkdir()
        received: Counter[str] = Counter()

        def all_received() -> bool:
            for each in mesh.arrived(THEIRS):
                received[each.message_id] += 1
            with mesh.open(THEIRS) as mailbox:
                receive(mailbox, gateway=OURS, workflow=WORKFLOW, folder=folder)
            with reading(service.runtime.gateway.engine).begin() as connection:
                states = connection.scalars(select(deliveries.c.state)).all()
            return len(states) == count and set(states) == {"received"}

        eventually(all_received, within=60, every=0.2, what="all received")
        assert len(received) == count, "one message for each delivery"
        assert len(list(folder.glob("*.json"))) == count
