# SPDX-License-Identifier: MIT
"""By MESH from the queue to the authority's disk and back, against NHS England's sandbox: followed, confirmed, told of, sent again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from notify_gateway.cli.outbox import DatabaseOutbox
from notify_gateway.cli.run import start_upkeep
from notify_gateway.cli.worker_values import worker_values
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.standing import Level
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.use_cases import deliver, flows, follow_mesh
from notify_gateway.use_cases.confirm import Receipt
from tests.support.mesh import OTHERS, OURS, SHARED_KEY, THEIRS, WORKFLOW, MeshSandbox, Wire
from tests.support.waiting import eventually
from tests.use_cases.carriage import Carriage, carrying
from tests.use_cases.conftest import MIDDLESBROUGH, House
from workers.channels import mesh_poller
from workers.channels.mesh import MeshChannel
from workers.channels.mesh_mailbox import MeshMailbox
from workers.channels.mesh_poller import MeshPoller
from workers.channels.mesh_protocol import Arrived, MeshFailed
from workers.channels.reference_mesh_receiver import receive
from workers.courier import Courier
from workers.run import make_channels

ON_ONE = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
"""For what does not depend on the database."""


@pytest.fixture
def carriage(house: House, mesh: MeshSandbox, tmp_path: Path) -> Iterator[Carriage]:
    with carrying(house, mesh, tmp_path / "authority") as made:
        yield made


def confirmation(row: Any, digest: str) -> dict[str, str]:
    return {"delivery_id": str(row.id), "received": digest}


def test_a_delivery_goes_by_mesh_to_the_authority_s_disk_and_its_confirmation_comes_back(carriage: Carriage) -> None:
    carriage.accept()
    assert carriage.carry() == 1
    [row] = carriage.rows()
    assert (row.state, row.received_at) == ("offered", None)
    carriage.look()
    assert carriage.rows()[0].state == "offered"
    assert carriage.fetch() == [row.id]
    carriage.look()
    [row] = carriage.rows()
    document = (carriage.folder / f"{row.id}.json").read_bytes()
    assert (row.state, row.document_digest) == ("received", hashlib.sha256(document).digest())
    for key in carriage.house.keys[MIDDLESBROUGH]:
        assert open_delivery(json.loads(document), key, carriage.house.runtime.public.gateway).original is not None
    *_, received = carriage.events(row.id)
    assert (received.tag, received.fields["digest"]) == ("delivery:received", hashlib.sha256(document).hexdigest())
    assert carriage.carried()[0].ended_code == "confirmed"
    assert carriage.left_in_our_mailbox == 0
    before = len(carriage.events(row.id))
    carriage.look()
    assert len(carriage.events(row.id)) == before


@ON_ONE
def test_fetched_without_a_confirmation_is_received_with_an_unknown_digest(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    carriage.acknowledge_all()
    carriage.look()
    [row] = carriage.rows()
    assert (row.state, row.document_digest) == ("received", None)
    assert carriage.events(row.id)[-1].fields["digest"] == "unknown"


@ON_ONE
def test_a_worker_that_dies_between_sending_and_recording_leaves_one_message(carriage: Carriage) -> None:
    carriage.accept()
    [outgoing] = carriage.begin()
    access = carriage.mesh.access()
    asyncio.run(MeshChannel(access, lambda: MeshMailbox(access)).send([outgoing]))
    [sent] = carriage.mesh.arrived()
    assert carriage.rows()[0].state == "queued"
    assert carriage.carry() == 1
    assert [each.message_id for each in carriage.mesh.arrived()] == [sent.message_id]
    assert carriage.rows()[0].state == "offered"
    assert carriage.carried()[0].message_id == sent.message_id
    carriage.fetch()
    carriage.look()
    assert carriage.rows()[0].state == "received"


@ON_ONE
def test_a_confirmation_that_is_faster_than_our_own_record_waits_for_it(carriage: Carriage) -> None:
    carriage.accept()
    [outgoing] = carriage.begin()
    access = carriage.mesh.access()
    asyncio.run(MeshChannel(access, lambda: MeshMailbox(access)).send([outgoing]))
    carriage.fetch()
    carriage.look(timedelta())
    assert (carriage.rows()[0].state, carriage.left_in_our_mailbox) == ("queued", 1)
    carriage.carry()
    carriage.look()
    assert (carriage.rows()[0].state, carriage.left_in_our_mailbox) == ("received", 0)


@pytest.mark.parametrize("way", ["report", "error"])
def test_what_mesh_gives_back_goes_out_again_once_under_another_id(carriage: Carriage, way: str) -> None:
    carriage.accept()
    carriage.carry()
    [first] = carriage.carried()
    if way == "report":
        carriage.mesh.report(first.message_id)
    else:
        carriage.mesh.add_event(first.message_id, way, "14")
    told = carriage.look()
    code = "mesh-error-14" if way == "report" else "mesh-undeliverable"
    assert [(line["event"], line["code"]) for line in told] == [("mesh-gave-back", code)]
    [row] = carriage.rows()
    assert (row.state, row.last_code) == ("queued", code)
    assert [event.tag for event in carriage.events(row.id)][-1] == "delivery:failed"
    assert carriage.look() == []
    assert carriage.left_in_our_mailbox == 0
    carriage.carry()
    first, second = carriage.carried()
    assert (first.ended_code, second.ended_code) == (code, None)
    assert first.message_id != second.message_id
    assert carriage.look() == []
    carriage.fetch()
    carriage.look()
    assert carriage.rows()[0].state == "received"
    assert len(list(carriage.folder.iterdir())) == 1


@ON_ONE
def test_a_receiver_that_holds_what_mesh_gave_back_need_not_get_it_again(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    [sent] = carriage.carried()
    carriage.mesh.report(sent.message_id)
    carriage.look()
    assert carriage.rows()[0].state == "queued"
    carriage.fetch()
    carriage.look()
    assert carriage.rows()[0].state == "received"
    assert carriage.carry() == 0


def test_what_nobody_fetches_is_told_once_listed_and_sent_again_when_mesh_has_forgotten_it(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    [row] = carriage.rows()
    assert carriage.look(timedelta(days=2)) == []
    assert follow_mesh.uncollected(carriage.house.gateway) == []
    [lying] = flows.uncollected(carriage.house.gateway)
    assert (lying.lying.mailbox, lying.lying.count, lying.lying.told, lying.level) == (THEIRS, 1, 0, Level.OK)
    told = carriage.look(timedelta(days=1))
    assert [(line["event"], line["delivery"], line["days"]) for line in told] == [("mesh-uncollected", str(row.id), 3)]
    [listed] = follow_mesh.uncollected(carriage.house.gateway)
    assert (listed.delivery_id, listed.authority, listed.mailbox) == (row.id, MIDDLESBROUGH, THEIRS)
    assert carriage.events(row.id)[-1].tag == "delivery:uncollected"
    [lying] = flows.show_flows(carriage.house.gateway).uncollected
    assert (lying.lying.authority, lying.lying.told, lying.level) == (MIDDLESBROUGH, 1, Level.WARN)
    assert carriage.look(timedelta(days=1)) == []
    assert carriage.rows()[0].state == "offered"
    assert [line["event"] for line in carriage.look(timedelta(days=1, hours=8))] == []
    assert (carriage.rows()[0].state, carriage.rows()[0].last_code) == ("queued", "mesh-uncollected")
    assert follow_mesh.uncollected(carriage.house.gateway) == []
    assert flows.uncollected(carriage.house.gateway) == ()


@ON_ONE
def test_what_mesh_does_not_know_any_more_is_sent_again(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    carriage.mesh.reset()
    carriage.look(timedelta(minutes=5))
    assert carriage.rows()[0].state == "offered"
    carriage.look(timedelta(minutes=10))
    assert (carriage.rows()[0].state, carriage.rows()[0].last_code) == ("queued", "mesh-gone")
    carriage.carry()
    assert len(carriage.mesh.arrived()) == 1


@ON_ONE
def test_hostile_and_foreign_messages_change_nothing_and_are_cleared_away(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    [row] = carriage.rows()
    [sent] = carriage.mesh.arrived()
    digest = hashlib.sha256(sent.body or b"").hexdigest()
    carriage.say(confirmation(row, digest), mailbox=OTHERS)
    carriage.say(confirmation(row, digest), workflow="TEST_WORKFLOW2_ACK")
    carriage.say(confirmation(row, digest), workflow="TEST_WORKFLOW2")
    carriage.say({"delivery_id": str(uuid4()), "received": digest})
    carriage.say({"delivery_id": str(row.id), "received": digest[:20]})
    carriage.say({"delivery_id": [row.id.hex], "received": None})
    carriage.say(b"[" * 4000)
    carriage.say(b"{" + b" " * 1_000_000 + b"}")
    carriage.mesh.report("20260101000000000_ABCDEF")
    told = carriage.look()
    assert {line["event"] for line in told} == {"mesh-inbox-refused"}
    codes = sorted(line["code"] for line in told)
    assert codes == [*["confirmation-unknown"] * 3, *["content"] * 4, "report-of-nothing", "workflow"]
    assert str(row.id) not in str(told)
    assert (carriage.rows()[0].state, carriage.left_in_our_mailbox) == ("offered", 0)
    carriage.fetch()
    carriage.look()
    assert carriage.rows()[0].state == "received"


@ON_ONE
def test_a_receiver_that_holds_something_else_gets_it_again(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    [row] = carriage.rows()
    carriage.say(confirmation(row, "0" * 64))
    carriage.look()
    assert (carriage.rows()[0].state, carriage.rows()[0].last_code) == ("queued", "digest-mismatch")


@ON_ONE
def test_an_update_overtakes_what_lies_in_mesh_and_a_late_fetch_of_the_old_closes_only_the_old(carriage: Carriage) -> None:
    message = carriage.accept()
    carriage.carry()
    carriage.house.accept(message.followed_by("update"))
    carriage.carry()
    assert [row.state for row in carriage.rows()] == ["superseded", "offered"]
    carriage.fetch()
    carriage.look()
    assert [row.state for row in carriage.rows()] == ["superseded", "received"]


def test_two_pollers_record_once(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    [row] = carriage.rows()
    gateway = carriage.house.gateway
    carriage.house.clock.move(timedelta(minutes=20))
    [taken] = follow_mesh.take_due(gateway)
    assert follow_mesh.take_due(gateway) == []
    assert follow_mesh.given_back(gateway, taken, code="mesh-gone")
    assert not follow_mesh.given_back(gateway, taken, code="mesh-gone")
    assert not follow_mesh.collected(gateway, taken)
    assert [event.tag for event in carriage.events(row.id)].count("delivery:failed") == 1
    carriage.carry()
    assert not follow_mesh.given_back(gateway, taken, code="mesh-gone")
    assert carriage.rows()[0].state == "offered"


@ON_ONE
def test_mesh_away_loses_nothing_and_is_told_once(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    wire = Wire(carriage.mesh)
    nobody = carriage.mesh.access(url=wire.url)
    wire.close()
    away = MeshPoller(carriage.house.gateway, lambda: MeshMailbox(nobody), threading.Event())
    carriage.house.clock.move(timedelta(minutes=20))
    with pytest.raises(MeshFailed, match="mesh-unreachable"):
        away.look()
    carriage.fetch()
    carriage.look()
    assert carriage.rows()[0].state == "received"


@ON_ONE
def test_an_upload_that_was_broken_off_is_kept_as_given_back(carriage: Carriage) -> None:
    carriage.accept()
    [outgoing] = carriage.begin()
    access = carriage.mesh.access()
    [result] = asyncio.run(MeshChannel(access, lambda: MeshMailbox(access)).send([outgoing]))
    assert result.remote is not None
    lost = AttemptResult(outgoing.delivery_id, 1, AttemptOutcome.RETRY, "mesh-upload-broken-off", remote=result.remote)
    deliver.finish_attempts(carriage.house.gateway, [lost], owner="lost")
    carriage.house.clock.move(timedelta(hours=1))
    [again] = carriage.begin()
    assert (again.attempt, again.given_back) == (2, 1)


@ON_ONE
def test_a_confirmation_is_judged_by_where_the_delivery_went(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    [sent] = carriage.carried()

    def confirm(sender: str = THEIRS, workflow: str = WORKFLOW, delivery: UUID = sent.delivery_id) -> Receipt:
        return follow_mesh.confirm(carriage.house.gateway, delivery_id=delivery, sender=sender, workflow=workflow, digest=sent.digest)

    assert confirm(sender=OTHERS) is Receipt.UNKNOWN
    assert confirm(workflow="TEST_WORKFLOW2") is Receipt.UNKNOWN
    assert confirm(delivery=uuid4()) is Receipt.UNKNOWN
    assert [confirm(), confirm()] == [Receipt.HELD, Receipt.HELD]


@ON_ONE
def test_the_receiver_leaves_alone_what_is_not_from_the_gateway(carriage: Carriage) -> None:
    carriage.accept()
    carriage.carry()
    with carriage.mesh.open(OTHERS) as other, closing(MeshMailbox(carriage.mesh.access(THEIRS))) as mailbox:
        other.send(THEIRS, WORKFLOW, str(uuid4()), b'{"format": "notify-gateway/delivery", "delivery_id": "x"}')
        fetched = receive(mailbox, gateway=OURS, workflow=WORKFLOW, folder=carriage.folder)
        assert (len(fetched.held), fetched.left) == (1, 1)
        assert len(mailbox.waiting(limit=10)) == 1


@ON_ONE
def test_worker_and_scheduler_take_mesh_from_the_settings(carriage: Carriage) -> None:
    secrets = {"mesh_password": SecretStr("password"), "mesh_shared_key": SecretStr(SHARED_KEY.decode())}
    chosen = {"mesh_url": carriage.mesh.url, "mesh_mailbox": OURS, "mesh_track_every": timedelta(seconds=0.1), **secrets}
    gateway = carriage.house.gateway
    core = replace(gateway, settings=gateway.settings.model_copy(update=chosen))
    assert SHARED_KEY.decode() not in repr(worker_values(core))
    carriage.accept()
    courier = Courier(DatabaseOutbox(core), make_channels(worker_values(core)), lease=timedelta(seconds=15))
    courier.deliver(carriage.due())
    courier.close()
    carriage.fetch()
    carriage.house.clock.move(timedelta(hours=1))
    stop = threading.Event()
    upkeep = start_upkeep(core, stop)
    try:
        eventually(lambda: carriage.rows()[0].state == "received", what="received")
    finally:
        stop.set()
        upkeep.join(timeout=10)
    assert not upkeep.is_alive()


@ON_ONE
def test_a_message_that_cannot_be_read_does_not_stand_before_those_behind_it(carriage: Carriage) -> None:
    class HalfBlind(MeshMailbox):
        def read(self, message_id: str, *, most: int) -> Arrived | None:
            if message_id == unreadable:
                raise MeshFailed("mesh-bad-answer")
            return super().read(message_id, most=most)

    carriage.accept()
    carriage.carry()
    carriage.say({})
    [unreadable] = [each.message_id for each in carriage.mesh.arrived(OURS)]
    carriage.fetch()
    access = carriage.mesh.access()
    MeshPoller(carriage.house.gateway, lambda: HalfBlind(access), threading.Event()).look()
    assert carriage.rows()[0].state == "received"
    assert carriage.left_in_our_mailbox == 1


@ON_ONE
def test_more_than_one_look_holds_is_read_in_the_next_at_once(carriage: Carriage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_poller, "AT_ONCE", 2)
    for _ in range(3):
        carriage.accept()
    carriage.carry()
    carriage.fetch()
    carriage.house.clock.move(timedelta(minutes=20))
    assert [carriage.poller.look() for _ in range(2)] == [True, False]
    assert {(row.state, row.document_digest is None) for row in carriage.rows()} == {("received", False)}
