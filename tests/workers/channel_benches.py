# SPDX-License-Identifier: MIT
"""What the contract test asks of every custody channel: a bench that makes the channel, good and broken routes, and tells what arrived.

A further channel joins with a class that is a ``Bench`` and a line in ``BENCHES``; ``test_channel_contract.py`` knows none of them by name.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol
from uuid import UUID, uuid4

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.delivery import AttemptOutcome, Outgoing
from notify_gateway.domain.refs import new_reference
from notify_gateway.domain.route import Route
from notify_gateway.egress.guard import Egress
from tests.privacy.builders import STOCKTON, a_delivery, a_gateway_key, a_recipient
from tests.support.waiting import free_port
from tests.workers.mesh_bench import mesh_bench
from tests.workers.receiver import Receiver
from tests.workers.sftp_bench import sftp_bench
from workers.channels.inbox import InboxChannel
from workers.channels.protocol import Channel
from workers.channels.pull import PullChannel
from workers.channels.reference_receiver import verify
from workers.channels.signature import RequestSigner
from workers.channels.webhook import WebhookChannel


class Bench(Protocol):
    """A channel with a real far end of its own."""

    success: AttemptOutcome
    """What a delivery that went well comes to."""

    def make(self) -> Channel:
        """Return a fresh channel; the test closes it."""
        ...

    def good(self) -> Route:
        """Return a route behind which everything works."""
        ...

    def broken(self) -> Mapping[str, Route]:
        """Return routes of the right form behind which something does not work, by what that is; empty where nothing is sent."""
        ...

    def hanging(self) -> Route | None:
        """Return a route whose far end takes the delivery and does not answer, or None where nothing is sent."""
        ...

    def is_hanging(self) -> bool:
        """Tell whether the channel waits for the far end of ``hanging``."""
        ...

    def applied(self) -> Counter[UUID] | None:
        """Return how often the receiver has applied each delivery that reached it whole; None where nothing is sent.

        Where the receiver's reading of it can be checked (signature, digest, what it holds), this checks it.
        """
        ...


class OfferingBench:
    """Pull: nothing is sent, so nothing can break."""

    success = AttemptOutcome.OFFERED

    def make(self) -> Channel:
        return PullChannel()

    def good(self) -> Route:
        return {}

    def broken(self) -> Mapping[str, Route]:
        return {}

    def hanging(self) -> Route | None:
        return None

    def is_hanging(self) -> bool:
        return False

    def applied(self) -> Counter[UUID] | None:
        return None


class WebhookBench:
    """The webhook and the receiver that the documentation recommends: verified, applied once by delivery id."""

    success = AttemptOutcome.RECEIVED

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._signer = RequestSigner("gateway-1", Ed25519PrivateKey.generate())

    def make(self) -> Channel:
        return WebhookChannel(signer=self._signer, clock=SystemClock(), timeout=timedelta(seconds=20), egress=Egress(allow_private=True))

    def good(self) -> Route:
        return {"url": self._receiver.url()}

    def broken(self) -> Mapping[str, Route]:
        urls = {how: self._receiver.url(how) for how in ("error", "reset", "garbage", "wrong-digest", "redirect")}
        nobody = f"http://127.0.0.1:{free_port()}/good"
        return {how: {"url": url} for how, url in {**urls, "nobody": nobody, "no-address": "mailto:ada@example.org"}.items()}

    def hanging(self) -> Route | None:
        return {"url": self._receiver.url("hang")}

    def is_hanging(self) -> bool:
        return self._receiver.under_way > 0

    def applied(self) -> Counter[UUID] | None:
        """Verify what came to ``good``, in order, and apply each delivery id once."""
        seen: set[str] = set()
        held: dict[UUID, bytes] = {}
        for method, url, headers, body in self._receiver.requests:
            if url.endswith("/good"):
                verified = verify(method, url, headers, body, self._signer.private_key.public_key(), _Nonces(seen), SystemClock().now())
                assert orjson.loads(body)["delivery_id"] == verified.delivery_id
                assert held.setdefault(UUID(verified.delivery_id), body) == body
        return Counter(held.keys())


class _Nonces:
    def __init__(self, seen: set[str]) -> None:
        self._seen, self._lock = seen, threading.Lock()

    def first_use(self, nonce: str, *, until: object) -> bool:
        with self._lock:
            fresh = nonce not in self._seen
            self._seen.add(nonce)
        return fresh


class InboxBench(OfferingBench):
    """The inbox: the service's own pages are the receiver."""

    success = AttemptOutcome.RECEIVED

    def make(self) -> Channel:
        return InboxChannel()


@contextmanager
def _inbox(_: Path) -> Iterator[Bench]:
    yield InboxBench()


@contextmanager
def _offering(_: Path) -> Iterator[Bench]:
    yield OfferingBench()


@contextmanager
def _webhook(_: Path) -> Iterator[Bench]:
    receiver = Receiver()
    try:
        yield WebhookBench(receiver)
    finally:
        receiver.close()


MakeBench = Callable[[Path], AbstractContextManager[Bench]]
"""Opens a bench with an empty folder of its own."""

BENCHES: Final[Mapping[str, MakeBench]] = MappingProxyType(
    {"pull": _offering, "inbox": _inbox, "webhook": _webhook, "sftp": sftp_bench, "mesh": mesh_bench}
)
"""A bench for each channel, by the name that a delivery row bears."""


@cache
def _sealed() -> bytes:
    return orjson.dumps(a_delivery(a_gateway_key(), a_recipient().public()))


def an_outgoing(channel: str, route: Route) -> Outgoing:
    """Return a delivery of its own id and reference, whose document is what the gateway hands over: a view and sealed envelopes."""
    content = orjson.loads(_sealed())
    delivery, reference = uuid4(), new_reference()
    content |= {"delivery_id": str(delivery), "notification_id": str(uuid4()), "message_id": str(uuid4()), "reference": reference}
    content["view"]["reference"] = reference
    return Outgoing(delivery, STOCKTON, channel, 1, route, orjson.dumps(content))
