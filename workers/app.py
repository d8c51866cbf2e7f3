# SPDX-License-Identifier: MIT
"""The Celery application as it must run here: ids only, no results, no due times, and a broker that may be wiped at any moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import redis
from celery import Celery
from kombu.transport.memory import Channel as MemoryChannel

from workers.message import QUEUE

KEY_PREFIX = "notify-gateway:"
MEMORY = "memory://"
VISIBILITY = timedelta(minutes=3)
POLLING = 0.005


def make_celery(broker_url: str, *, key_prefix: str = KEY_PREFIX, grace: timedelta = timedelta(seconds=20)) -> Celery:
    """Return a Celery application for ``broker_url`` (``redis://…`` or ``memory://``); nothing is connected yet.

    ``grace`` bounds the soft shutdown. Connecting again is tried for about ten seconds, then the worker ends and its supervisor starts it.
    """
    app = Celery("workers", broker=broker_url, set_as_current=False, task_cls="celery.app.task:Task")
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=QUEUE,
        task_queues={QUEUE: {}},
        task_create_missing_queues=False,
        task_send_sent_event=False,
        task_track_started=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_prefetch_multiplier=2,
        worker_soft_shutdown_timeout=grace.total_seconds(),
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_consumer="workers.message:GuardedConsumer",
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=3,
        broker_connection_timeout=2,
        broker_heartbeat=0,
        broker_pool_limit=2,
        broker_transport_options=_transport_options(broker_url, key_prefix),
    )
    return app


def queue_length(broker_url: str, *, key_prefix: str = KEY_PREFIX) -> Callable[[], int]:
    """Return a function that asks the broker, over a connection of its own, how many hints wait; it raises ``OSError`` within a second
    or two when the broker does not answer."""
    if broker_url.startswith(MEMORY):
        return lambda: MemoryChannel.queues[QUEUE].qsize() if QUEUE in MemoryChannel.queues else 0
    client = redis.Redis.from_url(broker_url, socket_timeout=1, socket_connect_timeout=1)

    def ask() -> int:
        try:
            return int(client.llen(key_prefix + QUEUE))
        except redis.RedisError as error:
            raise ConnectionError(type(error).__name__) from None

    return ask


def _transport_options(broker_url: str, key_prefix: str) -> dict[str, Any]:
    if broker_url.startswith(MEMORY):
        return {"polling_interval": POLLING}
    return {
        "global_keyprefix": key_prefix,
        "visibility_timeout": VISIBILITY.total_seconds(),
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
