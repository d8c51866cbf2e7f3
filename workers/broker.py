# SPDX-License-Identifier: MIT
"""The wire to the broker, guarded: what lies in a queue and is no message at all is dropped there, and the worker goes on.

Kombu reads what it takes off a queue before any code of ours sees it, and what it cannot read ends the consumer, again and again for as
long as there is more. So the guard sits in the client that takes it off, and shows kombu an empty queue instead.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.transport import redis

from workers.message import MessageRefused, judge_envelope, tell_refused


class GuardedClient(redis.PrefixedStrictRedis):
    """A client of Redis that takes nothing off a queue but what kombu can read."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        """Return the response; of a queue nothing, as if the wait had ended, when what came off it is no message."""
        found = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]  # kombu is typed in parts
        if command_name == "BRPOP" and found:
            try:
                judge_envelope(found[1])
            except MessageRefused as refused:
                tell_refused(refused.code)
                return None
        return found


class _GuardedChannel(redis.Channel):
    def _get_client(self) -> Any:
        super()._get_client()  # type: ignore[no-untyped-call]  # it checks the version of redis-py
        return partial(GuardedClient, global_keyprefix=self.global_keyprefix)


class _GuardedSentinelChannel(redis.SentinelChannel):
    def _get_client(self) -> Any:
        super()._get_client()  # type: ignore[no-untyped-call]
        return partial(GuardedClient, global_keyprefix=self.global_keyprefix)


class GuardedTransport(redis.Transport):
    """Kombu's transport over Redis, behind the guard."""

    Channel = _GuardedChannel


class GuardedSentinelTransport(redis.SentinelTransport):
    """The same where sentinels watch."""

    Channel = _GuardedSentinelChannel


_GUARDED: Final = {redis.Transport: GuardedTransport, redis.SentinelTransport: GuardedSentinelTransport}


class GuardedConnection(Connection):
    """Kombu's connection, which takes the guarded transport for the plain one, whichever of several brokers it switches to."""

    def get_transport_cls(self) -> Any:
        """Return the transport that the address asks for, guarded where it is one over Redis."""
        chosen = super().get_transport_cls()  # type: ignore[no-untyped-call]
        return _GUARDED.get(chosen, chosen)


class GuardedAMQP(AMQP):
    """What Celery makes its connections with."""

    Connection = GuardedConnection
