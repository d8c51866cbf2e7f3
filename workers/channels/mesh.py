# SPDX-License-Identifier: MIT
"""MESH: one message per delivery to the authority's mailbox. MESH's word is that it holds the message; the poller hears what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing, Remote
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.route import ChannelName, read_route
from workers.channels.mesh_protocol import OF_MESH_ITSELF, Mailbox, MeshAccess, MeshFailed, OpenMailbox, Tracked, local_id
from workers.channels.mesh_threads import MailboxThreads

THREADS = 8
FAULTS_IN_A_ROW = 3
PAUSE = 15.0
"""Seconds for which nothing is tried once MESH itself has failed several times in a row; then one delivery goes first."""

_log = structlog.get_logger("workers.mesh")


class MeshChannel:
    """Sends deliveries to the mailboxes that their routes name.

    A sending that may have been made before is looked for first, under the delivery's id, so that none is sent twice. ``within`` bounds how
    long a batch may take: what is not done by then is tried again later, whether it has arrived or not.
    """

    def __init__(self, access: MeshAccess | None, open_mailbox: OpenMailbox, *, within: timedelta | None = None) -> None:
        self._access = access
        self._threads = MailboxThreads(open_mailbox, size=THREADS)
        self._within = (within or (2 * access.timeout if access else timedelta())).total_seconds()
        self._rest = _Rest()
        self._under_way: set[asyncio.Task[AttemptResult]] = set()
        self._closed = False

    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        """Hand each delivery over once, or find it handed over, and return one result for each, in order."""
        attempts = [asyncio.create_task(self._attempt(each)) for each in batch]
        self._under_way.update(attempts)
        try:
            _, late = await asyncio.wait(attempts, timeout=self._within) if attempts else ((), ())
        finally:
            self._under_way.difference_update(attempts)
        for attempt in late:
            attempt.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        code = "stopping" if self._closed else "mesh-slow"
        return [
            AttemptResult.retry(each, code) if attempt.cancelled() else attempt.result()
            for each, attempt in zip(batch, attempts, strict=True)
        ]

    async def close(self) -> None:
        """End what is under way (``retry``, code ``stopping``); what MESH took nevertheless is found at the next attempt."""
        self._closed = True
        for attempt in self._under_way:
            attempt.cancel()
        self._threads.close()

    async def _attempt(self, outgoing: Outgoing) -> AttemptResult:
        if self._closed:
            return AttemptResult.retry(outgoing, "stopping")
        if self._access is None:
            return AttemptResult.retry(outgoing, "mesh-not-configured")
        try:
            route = read_route(ChannelName.MESH, outgoing.route)
        except Refused:
            return AttemptResult.retry(outgoing, "mesh-route")
        if len(outgoing.document) > self._access.most_bytes:
            return AttemptResult.retry(outgoing, "mesh-too-large")
        remote = Remote(None, route["mailbox"], route["workflow"], hashlib.sha256(outgoing.document).digest())
        try:
            return await self._threads.run(lambda mailbox: self._carry(mailbox, outgoing, remote))
        except MeshFailed as failed:
            return AttemptResult.retry(outgoing, failed.code, failed.retry_after)
        except Exception as error:
            _log.error("mesh-unexpected", delivery=str(outgoing.delivery_id), error=type(error).__name__)
            return AttemptResult.retry(outgoing, "unexpected")

    def _carry(self, mailbox: Mailbox, outgoing: Outgoing, remote: Remote) -> AttemptResult:
        """Runs in one of the threads; raises ``MeshFailed``."""
        self._rest.require_awake()
        own_id = local_id(outgoing.delivery_id, outgoing.given_back)
        try:
            sent = mailbox.find(own_id) if outgoing.attempt > 1 else None
            if sent is None:
                sent = Tracked(mailbox.send(remote.mailbox, remote.workflow, own_id, outgoing.document), "accepted")
        except MeshFailed as failed:
            self._rest.note(failed.code)
            raise
        self._rest.note(None)
        held = Remote(sent.message_id, sent.recipient or remote.mailbox, sent.workflow or remote.workflow, remote.digest)
        if sent.lost:
            return AttemptResult(outgoing.delivery_id, outgoing.attempt, AttemptOutcome.RETRY, sent.failure, remote=held)
        return AttemptResult(outgoing.delivery_id, outgoing.attempt, AttemptOutcome.OFFERED, "offered", remote=held)


class _Rest:
    """Lets MESH rest after several faults of its own in a row: everything is refused at once, so that no worker waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults = 0
        self._until = 0.0

    def require_awake(self) -> None:
        """Return when MESH may be asked; after a pause the first caller is the probe. Raises ``MeshFailed``."""
        with self._lock:
            if self._faults < FAULTS_IN_A_ROW:
                return
            now = time.monotonic()
            if now < self._until:
                raise MeshFailed("mesh-rests", self._until - now)
            self._until = now + PAUSE

    def note(self, code: str | None) -> None:
        """Take notice of how a request ended."""
        with self._lock:
            if code not in OF_MESH_ITSELF:
                self._faults = 0
                return
            self._faults += 1
            if self._faults == FAULTS_IN_A_ROW:
                self._until = time.monotonic() + PAUSE
                _log.warning("mesh-rests", code=code, seconds=PAUSE)
