# SPDX-License-Identifier: MIT
"""MESH against NHS England's own sandbox: what arrives, what is never sent twice, and what each fault comes to."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from tests.support.mesh import OTHERS, OURS, ROUTE, THEIRS, WORKFLOW, MeshSandbox, Wire
from tests.support.waiting import free_port
from workers.channels import mesh as mesh_module
from workers.channels.mesh import MeshChannel
from workers.channels.mesh_mailbox import MeshMailbox
from workers.channels.mesh_protocol import SUBJECT, MeshAccess, MeshFailed

DOCUMENT = orjson.dumps({"format": "notify-gateway/delivery", "sealed": "x" * 2000})


@pytest.fixture
def wire(mesh: MeshSandbox) -> Iterator[Wire]:
    made = Wire(mesh)
    yield made
    made.close()


def outgoing(attempt: int = 1, route: dict[str, str] | None = None, document: bytes = DOCUMENT) -> Outgoing:
    return Outgoing(uuid4(), "E06000004", "mesh", attempt, ROUTE if route is None else route, document)


def to(mailbox: str) -> dict[str, str]:
    return ROUTE | {"mailbox": mailbox}


def send(access: MeshAccess | None, *batches: Sequence[Outgoing], within: float | None = None) -> list[AttemptResult]:
    """Send the batches one after the other through one channel; return all results."""

    async def run() -> list[AttemptResult]:
        channel = MeshChannel(access, lambda: MeshMailbox(access), within=timedelta(seconds=within) if within else None)  # type: ignore[arg-type]
        try:
            return [result for batch in batches for result in await channel.send(batch)]
        finally:
            await channel.close()

    return asyncio.run(run())


def code_of(access: MeshAccess | None, each: Outgoing) -> tuple[str, str]:
    [result] = send(access, [each])
    return str(result.outcome), result.code


def test_the_document_arrives_under_the_authority_s_workflow_and_says_nothing_of_a_child_outside(mesh: MeshSandbox) -> None:
    sent = outgoing()
    [result] = send(mesh.access(), [sent])
    [arrived] = mesh.arrived()
    assert (result.outcome, result.code, result.digest) == (AttemptOutcome.OFFERED, "offered", None)
    assert result.remote is not None
    assert (result.remote.message_id, result.remote.mailbox, result.remote.workflow) == (arrived.message_id, THEIRS, WORKFLOW)
    assert (arrived.kind, arrived.sender, arrived.workflow, arrived.body) == ("DATA", OURS, WORKFLOW, DOCUMENT)
    with mesh.open(THEIRS) as mailbox:
        message = mailbox._client.retrieve_message(arrived.message_id)
        headers = dict(message.mex_headers())
        message.close()
    assert headers["localid"] == str(sent.delivery_id)
    assert headers["filename"] == f"{sent.delivery_id}.json"
    assert headers["subject"] == SUBJECT
    assert headers["content-compressed"] == "Y"


def test_a_long_document_goes_in_chunks_and_is_whole_again(mesh: MeshSandbox) -> None:
    long = outgoing(document=os.urandom(150_000).hex().encode())
    [result] = send(mesh.access(chunk_bytes=100_000), [long])
    assert result.outcome is AttemptOutcome.OFFERED
    assert [each.body for each in mesh.arrived()] == [long.document]


def test_what_was_sent_and_not_recorded_is_found_and_not_sent_again(mesh: MeshSandbox, wire: Wire) -> None:
    sent = outgoing()
    wire.deaf = True
    [lost] = send(mesh.access(url=wire.url), [sent])
    assert (lost.outcome, lost.code) == (AttemptOutcome.RETRY, "mesh-unreachable")
    [arrived] = mesh.arrived()
    [found] = send(mesh.access(), [replace(sent, attempt=2)])
    assert found.outcome is AttemptOutcome.OFFERED
    assert found.remote is not None
    assert found.remote.message_id == arrived.message_id
    assert len(mesh.arrived()) == 1


def test_an_attempt_that_never_arrived_is_made_again(mesh: MeshSandbox) -> None:
    assert code_of(mesh.access(), outgoing(attempt=2)) == ("offered", "offered")
    assert len(mesh.arrived()) == 1


def test_of_several_with_our_id_no_further_is_sent(mesh: MeshSandbox) -> None:
    sent = outgoing()
    send(mesh.access(), [sent], [sent])
    [result] = send(mesh.access(), [replace(sent, attempt=2)])
    assert result.outcome is AttemptOutcome.OFFERED
    assert result.remote is not None
    assert result.remote.message_id is None
    assert len(mesh.arrived()) == 2


@pytest.mark.parametrize(("status", "code"), [("error", "mesh-undeliverable"), ("uploading", "mesh-upload-broken-off")])
def test_what_mesh_took_and_will_not_hand_over_is_told_and_then_sent_under_another_id(mesh: MeshSandbox, status: str, code: str) -> None:
    sent = outgoing()
    send(mesh.access(), [sent])
    [first] = mesh.arrived()
    mesh.add_event(first.message_id, status)
    [told] = send(mesh.access(), [replace(sent, attempt=2)])
    assert (told.outcome, told.code) == (AttemptOutcome.RETRY, code)
    assert told.remote is not None
    assert told.remote.message_id == first.message_id
    [again] = send(mesh.access(), [replace(sent, attempt=3, given_back=1)])
    assert again.outcome is AttemptOutcome.OFFERED
    assert [each.message_id for each in mesh.arrived()] == [again.remote.message_id if again.remote else None]


def test_each_fault_has_a_code(mesh: MeshSandbox, wire: Wire) -> None:
    assert code_of(None, outgoing()) == ("retry", "mesh-not-configured")
    assert code_of(mesh.access(), outgoing(route={})) == ("retry", "mesh-route")
    assert code_of(mesh.access(), outgoing(route=ROUTE | {"workflow": "no such"})) == ("retry", "mesh-route")
    assert code_of(mesh.access(most_bytes=1024), outgoing()) == ("retry", "mesh-too-large")
    assert code_of(mesh.access(), outgoing(route=to("X26NOBODY"))) == ("retry", "mesh-recipient")
    assert code_of(mesh.access(password="wrong"), outgoing()) == ("retry", "mesh-unauthorised")
    assert code_of(mesh.access(shared_key=b"wrong"), outgoing()) == ("retry", "mesh-unauthorised")
    assert code_of(mesh.access(url=f"http://127.0.0.1:{free_port()}"), outgoing()) == ("retry", "mesh-unreachable")
    assert code_of(mesh.access(url=wire.url), outgoing(route=to(Wire.ERROR))) == ("retry", "mesh-unavailable")
    assert code_of(mesh.access(url=wire.url), outgoing(route=to(Wire.RESET))) == ("retry", "mesh-unreachable")
    assert code_of(mesh.access(url=wire.url), outgoing(route=to(Wire.GARBAGE))) == ("retry", "mesh-bad-answer")
    assert code_of(mesh.access(url=wire.url, timeout=0.2), outgoing(route=to(Wire.HANG))) == ("retry", "mesh-timeout")
    assert mesh.arrived() == []


def test_a_certificate_that_cannot_be_read_is_told(mesh: MeshSandbox, tmp_path) -> None:
    nowhere = tmp_path / "nowhere.pem"
    access = mesh.access(url="https://127.0.0.1:9", certificate=nowhere, private_key=nowhere)
    assert code_of(access, outgoing()) == ("retry", "mesh-certificate")


def test_a_slow_mesh_holds_nobody_up_for_longer_than_was_set(mesh: MeshSandbox, wire: Wire) -> None:
    batch = [outgoing(route=to(Wire.HANG)) for _ in range(20)]
    started = time.monotonic()
    results = send(mesh.access(url=wire.url), batch, within=0.3)
    assert time.monotonic() - started < 2
    assert {result.code for result in results} == {"mesh-slow"}


def test_a_dead_mesh_is_left_in_peace_and_then_probed_by_one(mesh: MeshSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_module, "THREADS", 1)
    monkeypatch.setattr(mesh_module, "PAUSE", 0.4)
    dead = mesh.access(url=f"http://127.0.0.1:{free_port()}")
    rest = mesh_module.FAULTS_IN_A_ROW

    async def run() -> list[str]:
        channel = MeshChannel(dead, lambda: MeshMailbox(dead))
        codes = [result.code for result in await channel.send([outgoing() for _ in range(rest + 2)])]
        await asyncio.sleep(0.5)
        codes += [result.code for result in await channel.send([outgoing(), outgoing()])]
        await channel.close()
        return codes

    assert asyncio.run(run()) == [*["mesh-unreachable"] * rest, *["mesh-rests"] * 2, "mesh-unreachable", "mesh-rests"]


def test_the_wrong_recipient_of_one_does_not_put_mesh_to_rest(mesh: MeshSandbox) -> None:
    results = send(mesh.access(), [outgoing(route=to("X26NOBODY")) for _ in range(6)], [outgoing()])
    assert [result.code for result in results] == [*["mesh-recipient"] * 6, "offered"]


def test_a_mailbox_shows_only_what_came_to_it(mesh: MeshSandbox) -> None:
    send(mesh.access(), [outgoing()])
    [arrived] = mesh.arrived()
    with mesh.open(OTHERS) as other, mesh.open(THEIRS) as theirs:
        assert other.waiting(limit=10) == []
        assert other.track(arrived.message_id) is None
        with pytest.raises(MeshFailed, match="mesh-unauthorised"):
            other.read(arrived.message_id, most=10)
        short = theirs.read(arrived.message_id, most=10)
        assert short is not None
        assert short.body is None
        theirs.acknowledge(arrived.message_id)
        assert theirs.waiting(limit=10) == []
