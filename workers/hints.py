# SPDX-License-Identifier: MIT
"""Hinting: due deliveries become task messages, from a thread of its own, so that no caller ever waits for the broker."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from celery import Celery
from kombu.connection import Connection
from kombu.messaging import Producer

from notify_gateway.domain.delivery import Hint
from workers.message import QUEUE, QUEUES, TASK, options_for, valid_ids

MOST_WAITING = 1024
PUBLISH_TIMEOUT = 1.0

_log = structlog.get_logger("workers.hints")


class Hinter:
    """Publishes hints over one kept connection. A hint that is lost costs nothing: the delivery is still due and is hinted again."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: queue.Queue[Hint | None] = queue.Queue(MOST_WAITING)
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._lost = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hinter", daemon=True)
        self._thread.start()

    def hint(self, hints: Sequence[Hint]) -> bool:
        """Take the hints for publishing and return at once; False when the broker is so far behind that some were dropped."""
        try:
            for each in hints:
                self._waiting.put_nowait(each)
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """End the thread; what is not published yet is dropped."""
        self._closing.set()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)  # only to wake the thread
        self._thread.join(timeout=3 * PUBLISH_TIMEOUT)

    def _run(self) -> None:
        while not self._closing.is_set():
            hint = self._waiting.get()
            if hint is None:
                continue
            try:
                self._publish(hint)
            except Exception as error:
                self._disconnect()
                self._drop_waiting()
                if not self._lost:
                    _log.warning("broker-lost", error=type(error).__name__)
                self._lost = True
            else:
                if self._lost:
                    _log.info("broker-back")
                self._lost = False
        self._disconnect()

    def _publish(self, hint: Hint) -> None:
        ids = valid_ids(hint.ids)
        if self._producer is None:
            self._connection = self._app.connection_for_write(connect_timeout=PUBLISH_TIMEOUT, transport_options=self._transport_options())
            self._producer = Producer(self._connection.channel(), auto_declare=False)  # type: ignore[no-untyped-call]  # kombu is typed in parts
        self._app.send_task(TASK, args=[ids], queue=QUEUES.get(hint.channel, QUEUE), producer=self._producer, **options_for(ids))

    def _transport_options(self) -> dict[str, Any]:
        options: dict[str, Any] = dict(self._app.conf.broker_transport_options)
        if "socket_timeout" in options:
            options |= {"socket_timeout": PUBLISH_TIMEOUT, "socket_connect_timeout": PUBLISH_TIMEOUT}
        return options

    def _drop_waiting(self) -> None:
        """Forget what waits: after an outage the outbox knows better what is due."""
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()

    def _disconnect(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            try:
                connection.collect(socket_timeout=PUBLISH_TIMEOUT)  # type: ignore[no-untyped-call]
            except Exception as error:
                _log.debug("broker-close-failed", error=type(error).__name__)
