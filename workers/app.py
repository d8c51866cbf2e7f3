# SPDX-License-Identifier: MIT
"""The Celery application as it must run here: ids only, no results, no due times, and a broker that may be wiped at any moment."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import redis
from celery import Celery
from kombu.transport.memory import Channel as MemoryChannel
from redis.sentinel import Sentinel

from workers.broker import GuardedAMQP
from workers.message import QUEUE, QUEUES

KEY_PREFIX = "notify-gateway:"
MEMORY = "memory://"
SENTINEL, SENTINEL_PORT = "sentinel://", 26379
ALL_QUEUES = (QUEUE, *QUEUES.values())
VISIBILITY = timedelta(minutes=3)
POLLING = 0.005


def make_celery(
    broker_url: str, *, master: str | None = None, key_prefix: str = KEY_PREFIX, grace: timedelta = timedelta(seconds=20)
) -> Celery:
    """Return a Celery application for ``broker_url``; nothing is connected yet.

    ``redis://…``, ``memory://``, or ``sentinel://…;sentinel://…`` with the name of the ``master`` that the sentinels watch.

    ``grace`` bounds the soft shutdown. Connecting again is tried for about ten seconds, then the worker ends and its supervisor starts it.
    """
    app = Celery("workers", broker=broker_url, set_as_current=False, task_cls="celery.app.task:Task", amqp=GuardedAMQP)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=QUEUE,
        task_queues={name: {} for name in ALL_QUEUES},
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
        # Kombu by itself believes whoever answers.
        broker_use_ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED} if broker_url.startswith("rediss://") else None,
        broker_transport_options=_transport_options(broker_url, master, key_prefix),
    )
    return app


def queue_length(
    broker_url: str, *, master: str | None = None, key_prefix: str = KEY_PREFIX, queues: Sequence[str] = ALL_QUEUES
) -> Callable[[], int]:
    """Return a function that asks the broker, over a connection of its own, how many hints wait; it raises ``OSError`` within a second
    or two when the broker does not answer."""
    if broker_url.startswith(MEMORY):
        return lambda: sum(MemoryChannel.queues[name].qsize() for name in queues if name in MemoryChannel.queues)
    client = _client(broker_url, master)

    def ask() -> int:
        try:
            with client.pipeline(transaction=False) as asked:
                for name in queues:
                    asked.llen(key_prefix + name)
                return sum(map(int, asked.execute()))
        except redis.RedisError as error:
            raise ConnectionError(type(error).__name__) from None

    return ask


def _client(broker_url: str, master: str | None) -> redis.Redis:
    """Return a client of the broker, with Sentinel of whichever server is the master at each connection."""
    if not broker_url.startswith(SENTINEL):
        return redis.Redis.from_url(broker_url, socket_timeout=1, socket_connect_timeout=1)
    parts = [urlsplit(each) for each in broker_url.split(";")]
    watched = Sentinel(  # type: ignore[no-untyped-call]  # redis is typed in parts
        [(part.hostname or "localhost", part.port or SENTINEL_PORT) for part in parts],
        socket_timeout=1,
        socket_connect_timeout=1,
        username=parts[0].username,
        password=parts[0].password,
        db=int(parts[0].path.strip("/") or 0),
    )
    client: redis.Redis = watched.master_for(_required(master))  # type: ignore[no-untyped-call]
    return client


def _required(master: str | None) -> str:
    if not master:
        raise ValueError("a broker that sentinels watch is found by the name of its master")
    return master


def _transport_options(broker_url: str, master: str | None, key_prefix: str) -> dict[str, Any]:
    if broker_url.startswith(MEMORY):
        return {"polling_interval": POLLING}
    watched = {"master_name": _required(master), "sentinel_kwargs": {"socket_timeout": 1}} if broker_url.startswith(SENTINEL) else {}
    return watched | {
        "global_keyprefix": key_prefix,
        "visibility_timeout": VISIBILITY.total_seconds(),
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
