# SPDX-License-Identifier: MIT
"""What ``notify-gateway worker`` and ``notify-gateway schedule`` run: one process each, ended by SIGTERM, started anew by a supervisor."""

from __future__ import annotations

import logging
import resource
import signal
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import signals
from celery.apps.worker import Worker

from notify_gateway.domain.clock import Clock, SystemClock
from notify_gateway.egress.guard import Egress
from notify_gateway.runtime import collect_less
from workers.app import ALL_QUEUES, KEY_PREFIX, make_celery, queue_length
from workers.channels.inbox import InboxChannel
from workers.channels.mesh import MeshChannel
from workers.channels.mesh_protocol import Mailbox, MeshAccess, MeshFailed
from workers.channels.protocol import Channels
from workers.channels.pull import PullChannel
from workers.channels.sftp import SftpAccess, SftpChannel
from workers.channels.signature import RequestSigner
from workers.channels.webhook import WebhookChannel
from workers.courier import Courier
from workers.dispatcher import Dispatcher
from workers.hints import Hinter
from workers.message import QUEUES
from workers.ports import Outbox, OutboxFactory
from workers.pulse import Pulse
from workers.tasks import register
from workers.watchdog import Watchdog

SLOTS = 8
OPEN_FILES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerValues:
    """What the workers take from the settings and the key store."""

    broker_url: str = field(repr=False)
    signer: RequestSigner
    broker_master: str | None = None
    key_prefix: str = KEY_PREFIX
    webhook_timeout: timedelta = timedelta(seconds=10)
    webhook_allow_private: bool = False
    mesh: MeshAccess | None = None
    sftp_key: Path | None = None
    sftp_timeout: timedelta = timedelta(seconds=30)
    lease: timedelta = timedelta(seconds=15)
    grace: timedelta = timedelta(seconds=20)
    patience: timedelta = timedelta(seconds=6)
    clock: Clock = field(default_factory=SystemClock)


def make_channels(values: WorkerValues) -> Channels:
    """Return the channels that this release has, by the name that a delivery row bears."""
    webhook = WebhookChannel(
        signer=values.signer,
        clock=values.clock,
        timeout=values.webhook_timeout,
        egress=Egress(allow_private=values.webhook_allow_private),
    )
    sftp = SftpChannel(signer=values.signer, access=sftp_access(values))
    return {"pull": PullChannel(), "inbox": InboxChannel(), "webhook": webhook, "mesh": _mesh_channel(values.mesh), "sftp": sftp}


def sftp_access(values: WorkerValues) -> SftpAccess:
    """Return what connections to SFTP servers are made with."""
    egress = Egress(allow_private=values.webhook_allow_private)
    return SftpAccess(key_file=values.sftp_key, egress=egress, timeout=values.sftp_timeout)


def _mesh_channel(access: MeshAccess | None) -> MeshChannel:
    def open_mailbox() -> Mailbox:
        # MESH's client brings an HTTP library of its own, which only those load who use it.
        from workers.channels.mesh_mailbox import MeshMailbox

        if access is None:
            raise MeshFailed("mesh-not-configured")
        return MeshMailbox(access)

    return MeshChannel(access, open_mailbox)


def run_worker(outbox_factory: OutboxFactory, values: WorkerValues, *, concurrency: int = SLOTS, channels: Collection[str] = ()) -> int:
    """Take hints and deliver until SIGTERM or SIGINT; return the exit status.

    ``concurrency`` is the number of tasks at once (threads; each has up to 64 POSTs under way). After SIGTERM nothing more is taken; what
    is on the wire has ``values.grace`` to end, then it is recorded as ``retry``. Status 75: the watchdog ended a worker that took nothing.
    ``channels`` are those whose queues it takes from; none means all.
    """
    _have_files_enough()
    queues = [QUEUES[name] for name in sorted(channels)] or list(ALL_QUEUES)
    app = make_celery(values.broker_url, master=values.broker_master, key_prefix=values.key_prefix, grace=values.grace)
    courier = Courier(outbox_factory(), make_channels(values), lease=values.lease)
    pulse = Pulse()
    register(app, courier, pulse)
    watchdog = Watchdog(_waiting(values, queues), pulse, patience=values.patience.total_seconds())
    last_call = threading.Timer(values.grace.total_seconds(), courier.end_sending)
    last_call.daemon = True

    def on_ready(**_: Any) -> None:
        collect_less()
        watchdog.start()

    def on_shutting_down(**_: Any) -> None:
        watchdog.stop()
        if last_call.ident is None:
            last_call.start()

    quiet_celery()
    signals.worker_ready.connect(on_ready, weak=False)
    signals.worker_shutting_down.connect(on_shutting_down, weak=False)
    worker: Worker = app.Worker(**worker_options(concurrency), queues=queues, quiet=True)
    try:
        worker.start()
    finally:
        watchdog.stop()
        courier.see_out(values.grace)
        last_call.cancel()
        courier.close()
    return int(worker.exitcode or 0)


def run_schedule(outbox_factory: OutboxFactory, values: WorkerValues, *, stop: threading.Event | None = None) -> int:
    """Hint what is due until SIGTERM or SIGINT (or until ``stop`` is set); any number may run at once. Returns the exit status 0."""
    stop = stop or threading.Event()
    hinter = Hinter(make_celery(values.broker_url, master=values.broker_master, key_prefix=values.key_prefix))
    dispatcher = make_dispatcher(outbox_factory(), hinter, values, stop)

    def end(*_: object) -> None:
        stop.set()
        dispatcher.wake()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
    try:
        dispatcher.run()
    finally:
        hinter.close()
    return 0


def make_dispatcher(outbox: Outbox, hinter: Hinter, values: WorkerValues, stop: threading.Event) -> Dispatcher:
    """Return the dispatcher that is held back by the length of the broker's queues."""
    return Dispatcher(outbox, hinter, values.clock, stop, waiting=_waiting(values, ALL_QUEUES))


def _waiting(values: WorkerValues, queues: Sequence[str]) -> Callable[[], int]:
    return queue_length(values.broker_url, master=values.broker_master, key_prefix=values.key_prefix, queues=queues)


def worker_options(concurrency: int) -> dict[str, Any]:
    """Return what every worker of ours is made with: a thread pool, and none of Celery's chatter between workers."""
    return {
        "pool": "threads",
        "concurrency": concurrency,
        "without_gossip": True,
        "without_mingle": True,
        "without_heartbeat": True,
        "loglevel": "WARNING",
    }


def _have_files_enough() -> None:
    """Let this process have a connection for each delivery that slots and lanes may send at once; many systems begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


def quiet_celery() -> None:
    """Leave logging to the process; keep Celery and kombu to warnings, so that a task costs no log line of theirs."""
    signals.setup_logging.connect(_leave_logging_alone)
    for name in ("celery", "kombu", "amqp"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _leave_logging_alone(**_: object) -> None:
    """Celery configures no logging when somebody listens to its signal."""
