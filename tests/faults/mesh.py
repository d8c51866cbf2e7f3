# SPDX-License-Identifier: MIT
"""Faults of MESH: away, silent, forgetful of its answers, handing over twice, giving back. NHS England's sandbox plays MESH."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import func, select

from notify_gateway.store.engine import reading
from notify_gateway.store.tables import mesh_messages
from notify_gateway.use_cases import onboard
from tests.faults.parts import lasts
from tests.faults.stand import Stand
from tests.faults.trial import Trial
from tests.support.mesh import OURS, ROUTE, SHARED_KEY, THEIRS, WORKFLOW, MeshSandbox
from tests.support.mesh import Wire as MeshWire
from tests.support.service import WEBHOOK
from tests.support.services import eventually
from workers.channels.mesh_protocol import Arrived, Mailbox, MeshFailed
from workers.channels.reference_mesh_receiver import receive

LOOK_EVERY = 0.5
"""Seconds between two looks of the authority's machine."""
MOST_SPOILT = 200
"""Messages that are doubled or given back in one row."""


class MeshStand(Stand):
    """A stand whose second authority is reached by MESH; its machine reads its mailbox as the reference receiver does.

    Between the service and MESH is ``to_mesh``, which may be down or silent, and may lead by way of ``answers``, which may be lost.
    While ``away`` is set the authority's machine does not look.
    """

    def _open(self) -> None:
        self.mesh = MeshSandbox()
        self._closing.callback(self.mesh.stop)
        self.mesh.start()
        self.answers = MeshWire(self.mesh)
        self._closing.callback(self.answers.close)
        self.to_mesh = self._wire(self.mesh.port)
        self.mailbox_folder = self.folder / "mailbox"
        self.mailbox_folder.mkdir(parents=True)
        self.away = threading.Event()
        self._looked_at = 0.0
        values = {"URL": f"http://127.0.0.1:{self.to_mesh.port}", "MAILBOX": OURS, "PASSWORD": "password"}
        values |= {"SHARED_KEY": SHARED_KEY.decode(), "TRACK_EVERY": "PT3S", "TIMEOUT": "PT3S"}
        self._environment |= {f"NOTIFY_GATEWAY_MESH_{name}": value for name, value in values.items()}
        super()._open()

    def _set_up(self) -> None:
        onboard.register_authority(
            self.service.gateway, gss=WEBHOOK, custody="authority-held", channel="mesh", route=ROUTE, actor="operator"
        )

    def collect(self) -> None:
        """Fetch what waits for both authorities: by the calls of one, out of the mailbox of the other."""
        super().collect()
        if time.monotonic() - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = time.monotonic()
        with self.mesh.open(THEIRS) as mailbox:
            while not self.away.is_set():
                seen = _Seen(mailbox, self)
                try:
                    fetched = receive(seen, gateway=OURS, workflow=WORKFLOW, folder=self.mailbox_folder)
                except MeshFailed as failed:
                    raise AssertionError(failed.code) from None
                for delivery_id in fetched.held:
                    document = (self.mailbox_folder / f"{delivery_id}.json").read_bytes()
                    self.receiver.applied[str(delivery_id)] = document
                    if seen.bodies[str(delivery_id)] != document:
                        self.receiver.changed.append(str(delivery_id))
                if not fetched.held:
                    break

    @contextmanager
    def losing_answers(self) -> Iterator[MeshWire]:
        """Lead the service to MESH by way of the wire on which answers may be lost."""
        self.to_mesh.target = int(self.answers.url.rpartition(":")[2])
        self.to_mesh.cut()
        try:
            yield self.answers
        finally:
            self.answers.deaf = self.answers.mute = False
            self.to_mesh.target = self.mesh.port
            self.to_mesh.cut()

    def forget(self) -> None:
        """What the authorities hold is counted from here; what still waits is collected first, however lately somebody looked."""
        self._looked_at = 0.0
        super().forget()

    def ended(self) -> int:
        """Return how many messages MESH has given back, or handed over, so far."""
        with reading(self.service.gateway.engine).begin() as connection:
            ended = select(func.count()).select_from(mesh_messages).where(mesh_messages.c.ended_at.is_not(None))
            return connection.scalar(ended) or 0

    @contextmanager
    def uncollected(self, trial: Trial) -> Iterator[list[Arrived]]:
        """Strike within the block: this is what lies in the authority's mailbox while its machine looks away."""
        self.away.set()
        try:
            trial.let_go()
            wanted = min(MOST_SPOILT, trial.count // 2)
            with self.mesh.open(THEIRS) as mailbox:
                eventually(lambda: len(mailbox.waiting(limit=wanted)) >= wanted, within=60, every=0.5, what="messages with MESH")
                trial.strikes()
                lying = [mailbox.read(message_id, most=2**26) for message_id in mailbox.waiting(limit=wanted)]
            yield [each for each in lying if each is not None]
        finally:
            self.away.clear()


class _Seen:
    """A mailbox that tells the stand how often each delivery came, and with what."""

    def __init__(self, mailbox: Mailbox, stand: MeshStand) -> None:
        self._mailbox, self._stand = mailbox, stand
        self.bodies: dict[str, bytes] = {}

    def read(self, message_id: str, *, most: int) -> Arrived | None:
        """Read a message, and count the delivery that it says it is."""
        arrived = self._mailbox.read(message_id, most=most)
        if arrived is not None and arrived.body:
            delivery_id = _delivery(arrived)
            self.bodies[delivery_id] = arrived.body
            self._stand.receiver.posts[delivery_id] += 1
        return arrived

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mailbox, name)


def _delivery(arrived: Arrived) -> str:
    return str(orjson.loads(arrived.body or b"{}").get("delivery_id"))


def _of(stand: Stand) -> MeshStand:
    assert isinstance(stand, MeshStand)
    return stand


def down(stand: Stand, trial: Trial) -> None:
    """Let nobody listen at MESH's address."""
    with _of(stand).to_mesh.down():
        trial.strikes()
        lasts(stand.lasting)


def silent(stand: Stand, trial: Trial) -> None:
    """Let MESH take connections and say nothing."""
    with _of(stand).to_mesh.black_hole():
        trial.strikes()
        lasts(stand.lasting)


def answers_lost(stand: Stand, trial: Trial) -> None:
    """Let every message reach MESH, and every answer be lost; the next attempt has to find it there."""
    with _of(stand).losing_answers() as wire:
        wire.deaf = True
        trial.strikes()
        lasts(stand.lasting)


def worker_killed(stand: Stand, trial: Trial) -> None:
    """Kill the worker while MESH has taken messages and has not answered."""
    with _of(stand).losing_answers() as wire:
        wire.hanging.clear()
        wire.mute = True
        trial.let_go()
        eventually(wire.hanging.is_set, within=30, what="a message with MESH and no answer")
        trial.strikes()
        stand.kill("worker")


def handed_over_twice(stand: Stand, trial: Trial) -> None:
    """Let the mailbox hold the same deliveries twice, as messages of their own."""
    made = _of(stand)
    with made.uncollected(trial) as lying, made.mesh.open(OURS) as ours:
        for each in lying:
            assert each.body is not None
            ours.send(THEIRS, WORKFLOW, f"{_delivery(each)}.again", each.body)


def reports(stand: Stand, trial: Trial) -> None:
    """Let MESH report that nobody fetched them; they are sent again, and then the authority has both."""
    made = _of(stand)
    with made.uncollected(trial) as lying:
        before = made.ended()
        for each in lying:
            made.mesh.report(each.message_id, mailbox=OURS)
        eventually(lambda: made.ended() - before >= len(lying), within=60, every=0.2, what="every report read")
