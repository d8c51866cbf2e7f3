# SPDX-License-Identifier: MIT
"""The MESH poller: asks what became of what was sent, and reads the gateway's own mailbox. Any number may run, for each records once.

The mailbox is the gateway's alone. Reports and confirmations are applied, committed, and then acknowledged, which removes them. What is
neither is not for us: it is told of by code and removed, for MESH would offer it at each look, and it would hide what comes behind it.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from uuid import UUID

import orjson
import structlog

from notify_gateway.store.mesh import Carried
from notify_gateway.use_cases import follow_mesh
from notify_gateway.use_cases.confirm import Receipt
from notify_gateway.use_cases.gateway import Core
from workers.channels.mesh_protocol import CONFIRMATION, OF_MESH_ITSELF, Arrived, Mailbox, MeshFailed, OpenMailbox, Tracked, failure_code

SHOWS_ITSELF = 12 * 3600.0
"""Seconds after which the mailbox is validated anew: MESH takes one for abandoned whose owner does not do so within 24 hours."""
AT_ONCE = 100
"""Messages that are asked about, and messages that are read, in one look."""
LONGEST_CONFIRMATION = 4096

_log = structlog.get_logger("workers.mesh-poller")


class MeshPoller:
    """Looks every ``mesh_track_every`` until ``stop`` is set; survives every fault of MESH and of the database."""

    def __init__(self, core: Core, open_mailbox: OpenMailbox, stop: threading.Event) -> None:
        self._core, self._open, self._stop = core, open_mailbox, stop
        self._fault: str | None = None
        self._shown_at: float | None = None

    def run(self) -> None:
        """Look again and again; a fault is told once, and once that it is over."""
        while not self._stop.is_set():
            try:
                while self.look() and not self._stop.is_set():
                    pass
            except MeshFailed as failed:
                self._tell(failed.code)
            except Exception as error:
                self._tell(type(error).__name__)
            else:
                self._tell(None)
            self._stop.wait(self._core.settings.mesh_track_every.total_seconds())

    def look(self) -> bool:
        """Ask about what is due and read the mailbox once; tell whether there may be more at once. Raises ``MeshFailed``, and what the
        database raises.

        First all is asked, then the mailbox is read, then the answers are recorded: a receiver confirms before it takes the message out of
        MESH, so that its confirmation, which bears the digest, is there before the answer that the message was taken.
        """
        with closing(self._open()) as mailbox:
            if self._shown_at is None or time.monotonic() - self._shown_at > SHOWS_ITSELF:
                mailbox.check()
                self._shown_at = time.monotonic()
            answers: list[tuple[Carried, Tracked | None]] = []
            due = follow_mesh.take_due(self._core, limit=AT_ONCE)
            for carried in due:
                if carried.message_id is not None and not self._stop.is_set():
                    answers += self._ask(mailbox, carried, carried.message_id)
            removed = self._read_mailbox(mailbox)
            for carried, tracked in answers:
                # While more confirmations may wait, what was taken is left for the next time: its own may be among them.
                if removed < AT_ONCE or tracked is None or not tracked.collected:
                    self._record(carried, tracked)
            for carried in due:
                if carried.message_id is None:
                    self._tell_if_uncollected(carried)
            return AT_ONCE in (len(due), removed)

    def _ask(self, mailbox: Mailbox, carried: Carried, message_id: str) -> list[tuple[Carried, Tracked | None]]:
        try:
            return [(carried, mailbox.track(message_id))]
        except MeshFailed as failed:
            if failed.code in OF_MESH_ITSELF:
                raise
            _log.warning("mesh-tracking-failed", delivery=str(carried.delivery_id), code=failed.code)
            return []

    def _record(self, carried: Carried, tracked: Tracked | None) -> None:
        if tracked is None:
            follow_mesh.unknown_to_mesh(self._core, carried)
        elif tracked.collected:
            follow_mesh.collected(self._core, carried)
        elif tracked.lost:
            self._give_back(carried, tracked.failure)
        else:
            self._tell_if_uncollected(carried)

    def _give_back(self, carried: Carried, code: str) -> None:
        if follow_mesh.given_back(self._core, carried, code=code):
            _log.warning("mesh-gave-back", delivery=str(carried.delivery_id), code=code)

    def _tell_if_uncollected(self, carried: Carried) -> None:
        told = follow_mesh.still_waiting(self._core, carried)
        if told is not None:
            days = (self._core.clock.now() - told.sent_at).days
            _log.warning("mesh-uncollected", delivery=str(told.delivery_id), authority=told.authority, days=days)

    def _read_mailbox(self, mailbox: Mailbox) -> int:
        removed = 0
        for message_id in mailbox.waiting(limit=AT_ONCE):
            if self._stop.is_set():
                break
            try:
                arrived = mailbox.read(message_id, most=LONGEST_CONFIRMATION)
                if arrived is not None and self._apply(arrived):
                    mailbox.acknowledge(message_id)
                    removed += 1
            except MeshFailed as failed:
                if failed.code in OF_MESH_ITSELF:
                    raise
                # One message that cannot be read may not stand before all that come behind it.
                _log.warning("mesh-inbox-unread", code=failed.code)
        return removed

    def _apply(self, arrived: Arrived) -> bool:
        """Record what the message says, in a transaction that is committed on return; False when it has to be read again later."""
        if arrived.kind == "REPORT":
            carried = follow_mesh.find_carried(self._core, message_id=arrived.linked) if arrived.linked else None
            if carried is None:
                _log.warning("mesh-inbox-refused", code="report-of-nothing")
            else:
                self._give_back(carried, failure_code(arrived.code, "mesh-undeliverable"))
            return True
        if not arrived.workflow.endswith(CONFIRMATION):
            _log.warning("mesh-inbox-refused", code="workflow")
            return True
        said = _read(arrived.body)
        if said is None:
            _log.warning("mesh-inbox-refused", code="content")
            return True
        delivery_id, digest = said
        workflow = arrived.workflow.removesuffix(CONFIRMATION)
        receipt = follow_mesh.confirm(self._core, delivery_id=delivery_id, sender=arrived.sender, workflow=workflow, digest=digest)
        if receipt in (Receipt.UNKNOWN, Receipt.DIFFERS):
            _log.warning("mesh-inbox-refused", code=f"confirmation-{receipt}")
        return receipt is not Receipt.EARLY

    def _tell(self, fault: str | None) -> None:
        if fault is not None and fault != self._fault:
            _log.warning("mesh-poll-faulty", code=fault)
        elif fault is None and self._fault is not None:
            _log.info("mesh-poll-healed")
        self._fault = fault


def _read(body: bytes | None) -> tuple[UUID, bytes] | None:
    """Return which delivery a confirmation is about and the digest that it names, or None when it is no confirmation."""
    try:
        said = orjson.loads(body or b"")
        delivery_id, digest = UUID(said["delivery_id"]), bytes.fromhex(said["received"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return (delivery_id, digest) if str(delivery_id) == said["delivery_id"] and len(digest) == 32 else None
