# SPDX-License-Identifier: MIT
"""The embedded default: a real Celery worker and the dispatcher in threads of this process, over kombu's memory transport.

The same app, task, courier and channels as with Redis. The memory broker forgets everything when the process ends; that is fine, for the
outbox is the truth.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import structlog
from celery.worker import WorkController, state

from workers.app import MEMORY, make_celery
from workers.courier import Courier
from workers.hints import Hinter
from workers.ports import OutboxFactory
from workers.pulse import Pulse
from workers.run import WorkerValues, make_channels, make_dispatcher, quiet_celery, worker_options
from workers.tasks import register

SLOTS = 4
START_WITHIN = 10.0

_log = structlog.get_logger("workers.embedded")


class EmbeddedWorkers:
    """One at a time in a process: Celery keeps its stop flags in a module."""

    def __init__(self, outbox_factory: OutboxFactory, values: WorkerValues, *, concurrency: int = SLOTS) -> None:
        quiet_celery()
        values = replace(values, broker_url=MEMORY)
        self._grace = values.grace
        outbox = outbox_factory()
        app = make_celery(MEMORY, grace=values.grace)
        app.set_default()  # Celery's pool threads look their tasks up in the default application
        self._courier = Courier(outbox, make_channels(values), lease=values.lease)
        register(app, self._courier, Pulse())
        self._ready, self._stop = threading.Event(), threading.Event()
        self._controller = WorkController(app=app, ready_callback=lambda _: self._ready.set(), **worker_options(concurrency))
        self._hinter = Hinter(app)
        self._dispatcher = make_dispatcher(outbox, self._hinter, values, self._stop)
        self._threads = [
            threading.Thread(target=self._controller.start, name="embedded-worker", daemon=True),
            threading.Thread(target=self._dispatcher.run, name="dispatcher", daemon=True),
        ]

    def start(self) -> None:
        """Start and return when the worker takes hints; raises ``RuntimeError`` when it does not within ten seconds."""
        state.should_stop = state.should_terminate = None
        for thread in self._threads:
            thread.start()
        if not self._ready.wait(START_WITHIN):
            raise RuntimeError("the embedded worker did not start")
        _log.info("embedded-workers-started")

    def wake(self) -> None:
        """Look for due deliveries at once; call it after each commit that made some."""
        self._dispatcher.wake()

    def stop(self) -> None:
        """Take nothing more, let what is on the wire end within the grace time, and give everything back."""
        self._stop.set()
        self._dispatcher.wake()
        self._hinter.close()
        last_call = threading.Timer(self._grace.total_seconds(), self._courier.end_sending)
        last_call.start()
        state.should_stop = 0
        for thread in self._threads:
            thread.join(timeout=self._grace.total_seconds() + 10)
        self._courier.see_out(self._grace)
        last_call.cancel()
        self._courier.close()
        state.should_stop = None
        _log.info("embedded-workers-stopped")
