# SPDX-License-Identifier: MIT
"""From acceptance to receipt by SFTP, with a real sshd: what lies there, what the authority writes, and what is believed of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from notify_gateway.cli.worker_values import start_receipt_poller, worker_values
from notify_gateway.domain.delivery import Outgoing
from notify_gateway.egress.guard import Egress
from notify_gateway.privacy.drops import MANIFEST, receipt, verify_manifest
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.store import tables
from notify_gateway.use_cases import deliver, onboard
from tests.leaks.canaries import Evidence, a_canary, search
from tests.support.messages import Message, a_message
from tests.support.sftp_server import SftpServer
from tests.support.waiting import eventually
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House
from tests.use_cases.test_delivering import due
from tests.workers.sftp_bench import SilentServer
from workers.channels.sftp import SftpAccess
from workers.receipts import ReceiptPoller
from workers.run import make_channels

ON_ONE = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
"""For what the kind of database has no part in."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with SftpServer(tmp_path_factory.mktemp("sftp") / "sshd") as running:
        yield running


@dataclass
class Office:
    """An authority whose system fetches files, and the gateway's side of it."""

    house: House
    folder: Path
    access: SftpAccess

    def notify(self, *messages: Message) -> list[Outgoing]:
        """Accept the messages and deliver them as a worker does."""
        for message in messages:
            self.house.accept(message)
        gateway = self.house.gateway
        outgoing = deliver.begin_attempts(gateway, due(self.house), owner="one")
        results = asyncio.run(make_channels(worker_values(gateway))["sftp"].send(outgoing))
        assert {result.code for result in results} == {"offered"}
        deliver.finish_attempts(gateway, results, owner="one")
        return outgoing

    def poller(self) -> ReceiptPoller:
        return ReceiptPoller(self.house.gateway, self.access, threading.Event())

    def say(self, name: str, content: bytes) -> Path:
        path = self.folder / "acks" / name
        path.write_bytes(content)
        return path

    def has(self, each: Outgoing) -> Path:
        return self.say(f"{each.delivery_id}.json", receipt(each.delivery_id, sha256(each.document).hexdigest()))

    def later(self) -> None:
        self.house.clock.move(self.house.gateway.settings.sftp_look_every)

    def states(self) -> dict[UUID, str]:
        with self.house.gateway.engine.begin() as connection:
            return {row.id: row.state for row in connection.execute(select(tables.deliveries.c.id, tables.deliveries.c.state))}

    def code(self) -> str | None:
        with self.house.gateway.engine.begin() as connection:
            return connection.execute(select(tables.sftp_looks.c.code)).scalar_one_or_none()


@pytest.fixture
def office(house: House, server: SftpServer) -> Office:
    folder = server.folder / f"drop-{uuid4().hex}"
    folder.mkdir()
    route = {**server.route, "folder": str(folder)}
    onboard.register_authority(house.gateway, gss=STOCKTON, custody="authority-held", channel="sftp", route=route, actor="test")
    house.gateway.receivers.forget()
    shutil.copyfile(server.client_key, house.gateway.settings.sftp_key)
    return Office(house, folder, SftpAccess(key_file=server.client_key, egress=Egress(allow_private=True), timeout=timedelta(seconds=10)))


def test_from_the_trust_to_the_authority_s_own_machine_and_back(office: Office) -> None:
    house = office.house
    (sent,) = office.notify(a_canary(STOCKTON))
    files = [path for path in office.folder.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert search([Evidence(path.name, path.read_bytes()) for path in files]) == []
    assert search([Evidence("names", "\n".join(str(path.relative_to(office.folder)) for path in files).encode())]) == []
    (place,) = office.folder.glob(f"*/{MANIFEST}")
    manifest = verify_manifest(place.read_bytes(), house.runtime.public.gateway)
    assert manifest.authority == STOCKTON
    document = (place.parent / manifest.entries[0].name).read_bytes()
    opened = open_delivery(json.loads(document), house.keys[STOCKTON][0], house.runtime.public.gateway)
    assert opened.original is not None
    assert office.states() == {sent.delivery_id: "offered"}

    said = office.has(sent)
    before = house.count(tables.audit_tables.pending)
    assert office.poller().look() == 1
    assert office.states() == {sent.delivery_id: "received"}
    assert house.count(tables.audit_tables.pending) == before + 1
    assert not said.exists()
    office.has(sent)
    office.later()
    office.poller().look()
    assert house.count(tables.audit_tables.pending) == before + 1


@ON_ONE
def test_only_the_right_receipt_of_the_right_delivery_is_believed(office: Office) -> None:
    good, wrong, mute = office.notify(a_message(), a_message(), a_message())
    office.house.accept(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
    (foreign,) = deliver.begin_attempts(office.house.gateway, due(office.house), owner="one")
    acks = office.folder / "acks"
    office.has(good)
    refused = [
        office.say(f"{wrong.delivery_id}.json", receipt(wrong.delivery_id, sha256(b"other").hexdigest())),
        office.has(foreign),
        office.has(Outgoing(uuid4(), STOCKTON, "sftp", 1, {}, b"unknown")),
        office.say(f"{uuid4()}.json", receipt(good.delivery_id, sha256(good.document).hexdigest())),
    ]
    written = [
        office.say(f"{uuid4()}.json", content)
        for content in (b"", b"{", b"[]", b"\xff" * 100, b'{"delivery_id":1,"received":2}', b"[" * 4000, b" " * 1_000_000)
    ]
    others = [office.say(name, b"x") for name in (".half.part", "README", f"{good.delivery_id}.json.tmp", "..json")]
    others.append(Path(os.fsdecode(os.fsencode(acks) + b"/\xff\xfe.json")))
    others[-1].write_bytes(b"x")
    os.mkfifo(acks / f"{uuid4()}.json")
    (acks / f"{uuid4()}.json").mkdir()
    (acks / f"{mute.delivery_id}.json").symlink_to("/etc/passwd")
    poller = office.poller()
    assert poller.look() == 1
    assert office.code() == "receipts-refused"
    assert {state for key, state in office.states().items() if key in (wrong.delivery_id, mute.delivery_id)} == {"offered"}
    assert [path.exists() for path in refused] == [False] * 4
    assert all(path.with_suffix(".refused").exists() for path in refused)
    assert all(path.exists() for path in written)  # they may be half written
    office.later()
    poller.look()
    assert not any(path.exists() for path in written)
    assert all(path.exists() for path in others)
    office.later()
    office.has(wrong)
    assert poller.look() == 1  # said again, rightly
    assert office.code() == "looked"


def test_looks_are_due_in_the_database_and_one_scheduler_takes_each(office: Office) -> None:
    first, second = office.poller(), office.poller()
    assert first.look() == 0
    assert office.code() is None  # nothing waits, so nobody is bothered
    early, late = office.notify(a_message(), a_message())
    office.has(early)
    assert [first.look(), second.look()] == [1, 0]
    office.has(late)
    assert [second.look(), first.look()] == [0, 0]
    office.later()
    assert [second.look(), first.look()] == [1, 0]


def test_a_worker_that_dies_between_putting_down_and_recording_has_put_down_once(office: Office) -> None:
    gateway = office.house.gateway
    for _ in range(3):
        office.house.accept(a_message())
    ids = due(office.house)
    channel = make_channels(worker_values(gateway))["sftp"]
    dead = deliver.begin_attempts(gateway, ids, owner="one")
    asyncio.run(channel.send(dead))
    before = {path: path.stat().st_ino for path in office.folder.rglob("*")}
    office.house.clock.move(gateway.settings.lease + timedelta(seconds=1))
    again = deliver.begin_attempts(gateway, ids, owner="two")
    deliver.finish_attempts(gateway, asyncio.run(channel.send(again)), owner="two")
    assert [each.attempt for each in again] == [2, 2, 2]
    assert set(office.states().values()) == {"offered"}
    assert {path: path.stat().st_ino for path in office.folder.rglob("*")} == before
    for each in again:
        office.has(each)
    assert office.poller().look() == 3


@ON_ONE
def test_the_scheduler_s_thread_reads_receipts_until_it_is_stopped(office: Office) -> None:
    (sent,) = office.notify(a_message())
    office.has(sent)
    stop = threading.Event()
    thread = start_receipt_poller(office.house.gateway, stop)
    try:
        eventually(
            lambda: (office.states(), office.code()) == ({sent.delivery_id: "received"}, "looked"), within=40, what="the receipt recorded"
        )
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


@ON_ONE
def test_a_server_that_hangs_holds_up_no_other(office: Office) -> None:
    gateway = office.house.gateway
    route = gateway.receivers.get()[STOCKTON].route

    def also(route: dict[str, str]) -> None:
        onboard.register_authority(gateway, gss=MIDDLESBROUGH, custody="authority-held", channel="sftp", route=route, actor="test")
        gateway.receivers.forget()

    with SilentServer() as silent:
        also(dict(route))
        office.notify(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
        also({**route, "port": str(silent.port)})
        (sent,) = office.notify(a_message())
        stop = threading.Event()
        thread = threading.Thread(target=ReceiptPoller(gateway, office.access, stop, tick=0.05).run)
        thread.start()
        try:
            eventually(lambda: silent.taken, within=40, what="the silent server asked")
            office.has(sent)
            office.later()
            eventually(lambda: office.states()[sent.delivery_id] == "received", within=40, what="the receipt recorded")
            assert len(silent.taken) == 1
        finally:
            stop.set()
            thread.join(timeout=8)
        assert not thread.is_alive()


@ON_ONE
def test_more_receipts_than_one_look_takes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.channels.sftp_receipts.MOST_TAKEN", 2)
    for each in office.notify(*(a_message() for _ in range(5))):
        office.has(each)
    poller = office.poller()
    assert [poller.look(), poller.look(), poller.look(), poller.look()] == [2, 2, 1, 0]


@ON_ONE
def test_a_receipt_that_comes_before_its_offer_is_recorded_is_left_for_later(office: Office) -> None:
    office.notify(a_message())
    office.house.accept(a_message())
    (early,) = deliver.begin_attempts(office.house.gateway, due(office.house), owner="one")
    said = office.has(early)
    assert office.poller().look() == 0
    assert said.exists()
    assert office.states()[early.delivery_id] == "queued"


@ON_ONE
def test_a_server_that_is_away_is_told_by_code_and_looked_at_again(office: Office) -> None:
    (sent,) = office.notify(a_message())
    office.has(sent)
    away = SftpAccess(key_file=None, egress=office.access.egress, timeout=office.access.timeout)
    assert ReceiptPoller(office.house.gateway, away, threading.Event()).look() == 0
    assert office.code() == "sftp-no-key"
    office.later()
    assert office.poller().look() == 1


@ON_ONE
def test_what_broken_batches_left_is_swept_after_a_day(office: Office) -> None:
    office.notify(a_message())
    now = office.house.clock.now()
    old, new, other = (office.folder / ".incoming" / name for name in ("a.part", "b.part", "c.json"))
    for path, age in ((old, timedelta(hours=25)), (new, timedelta(hours=23)), (other, timedelta(days=9))):
        path.write_bytes(b"x")
        os.utime(path, times=((now - age).timestamp(),) * 2)
    office.poller().look()
    assert [path.exists() for path in (old, new, other)] == [False, True, True]
