# SPDX-License-Identifier: MIT
"""The load generator, in a process of its own: posts messages over kept connections, each sending its next when its last is answered.

Plain HTTP/1.1 over asyncio, for a client library would cost more than some of what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import count, cycle, islice
from pathlib import Path
from typing import cast
from uuid import uuid4

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TASK = re.compile(rb"location: *\S*/Task/([0-9a-f-]{36})", re.IGNORECASE)


@dataclass
class Outcome:
    """What came of a load. Instants are seconds of the machine's monotonic clock, latencies are seconds from the first byte sent."""

    began: float = 0.0
    ended: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)


class Sender(asyncio.Protocol):
    """One connection: sends a request, reads the whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], outcome: Outcome, due: Callable[[], float]) -> None:
        self._requests, self._outcome, self._due = requests, outcome, due
        self._buffer = bytearray()
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own is no subclass

    def send_next(self) -> None:
        """Send a request when it is due, or end when there is none left."""
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        wait = self._due() - time.monotonic()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._send, request)
        else:
            self._send(request)

    def _send(self, request: bytes) -> None:
        self._sent_at = time.monotonic()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take what has come of the answer."""
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(rest) < (int(length[1]) if length else 0):
            return
        now = time.monotonic()
        self._outcome.latencies.append(now - self._sent_at)
        self._outcome.ended = now
        status = int(head[9:12])
        self._outcome.statuses[status] = self._outcome.statuses.get(status, 0) + 1
        if task := _TASK.search(head):
            self._outcome.tasks.append(task[1].decode())
        self._buffer.clear()
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail loudly when the server hung up."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))


def request(body: bytes, token: str) -> bytes:
    """Return the bytes of one request."""
    head = (
        "POST /fhir/R4/$process-message HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        "Content-Type: application/fhir+json",
        "Accept: application/fhir+json",
        f"X-Request-ID: {uuid4()}",
        f"X-Correlation-ID: {uuid4()}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def post_all(requests: list[bytes], ports: list[int], connections: int, rate: float = 0) -> Outcome:
    """Post every request once, at most ``rate`` a second if it is not 0; the connections are spread evenly over the ports."""
    outcome, waiting, place = Outcome(), iter(requests), count()

    def due() -> float:
        return outcome.began + next(place) / rate if rate else 0.0

    loop = asyncio.get_running_loop()
    chosen = islice(cycle(ports), connections)
    senders = [(await loop.create_connection(lambda: Sender(waiting, outcome, due), "127.0.0.1", port))[1] for port in chosen]
    outcome.began = time.monotonic()
    for sender in senders:
        sender.send_next()
    await asyncio.gather(*(sender.done for sender in senders))
    return outcome


def main() -> None:
    """Read the messages (one to a line), post them, print the outcome as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=Path)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0, help="a second, over all connections; 0: as fast as they are answered")
    parser.add_argument("--token", required=True)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    asked = parser.parse_args()
    with asked.messages.open("rb") as lines:
        chosen = islice(lines, asked.skip, asked.skip + asked.count)
        requests = [request(line.rstrip(b"\n"), asked.token) for line in chosen]
    outcome = uvloop.run(post_all(requests, asked.ports, asked.connections, asked.rate))
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
