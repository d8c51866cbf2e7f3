# SPDX-License-Identifier: MIT
"""One receiver of ten takes connections and never answers: what the other nine notice of it, beside a control in which all answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles

import httpx2
from sqlalchemy import select

from benchmarks.measure import post, wait_delivered
from benchmarks.promises import PromiseBroken
from benchmarks.systems import Place, Running, service_to
from notify_gateway.domain.clock import SystemClock
from notify_gateway.store.engine import open_engine, reading
from notify_gateway.store.tables import deliveries, messages
from tests.support.messages import a_message
from tests.support.waiting import GaveUpWaiting, eventually

TEN = tuple(f"E060000{number:02}" for number in range(1, 11))
DEAD, OTHERS = TEN[0], TEN[1:]
REASON = "two-homes"
WARM_UP = 180
CONNECTIONS = 8
MOST = 1.25
"""By how much the others' 95th percentile may grow, where that is more than the control's own spread."""


@dataclass(frozen=True)
class Waits:
    """How long the nine waited from acceptance to receipt, in milliseconds, and what became of the tenth's."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    others: int
    kept_waiting: int


@dataclass(frozen=True)
class DeadReceiver:
    """Runs with all ten alive (``control``) and with one dead, in pairs made one after the other."""

    rate: float
    control: list[Waits]
    dead: list[Waits]

    @property
    def ratios(self) -> list[float]:
        """Return dead / control of the 95th percentile, for each pair."""
        return [dead.p95_ms / control.p95_ms for dead, control in zip(self.dead, self.control, strict=True)]

    @property
    def kept(self) -> bool:
        """Tell whether the others' p95 is, in the middle, within what the controls showed, or within ``MOST`` of it."""
        controls = [each.p95_ms for each in self.control]
        return median(each.p95_ms for each in self.dead) <= max(*controls, MOST * median(controls))


def measure_dead_receiver(place: Place, *, messages: int, rate: float, pairs: int) -> Iterator[tuple[str, Waits]]:
    """Yield the runs, ``control`` and ``dead`` in turn; raises ``PromiseBroken`` where a delivery is neither received nor waiting."""
    warm_up, load = place.folder / "ten-warm-up.jsonl", place.folder / "ten.jsonl"
    _write(warm_up, WARM_UP, OTHERS, first=messages)
    _write(load, messages, TEN, first=0)
    for _ in range(pairs):
        for name, dead in (("control", ()), ("dead", (DEAD,))):
            yield name, _run(place, warm_up, load, messages=messages, rate=rate, dead=dead)


def _write(path: Path, count: int, authorities: tuple[str, ...], *, first: int) -> None:
    with path.open("wb") as file:
        for number in range(count):
            message = a_message(first + number).to_authority(authorities[number % len(authorities)]).because(REASON)
            file.write(message.bytes() + b"\n")


def _run(place: Place, warm_up: Path, load: Path, *, messages: int, rate: float, dead: tuple[str, ...]) -> Waits:
    routes = {gss: "hang" if gss in dead else "deliveries" for gss in TEN}
    to_tenth = -(-messages // len(TEN))
    waiting = to_tenth if dead else 0
    with service_to(routes)(place) as running, httpx2.Client(base_url=place.receiver_url) as receiver:
        receiver.post("/forget").raise_for_status()
        post(running, warm_up, skip=0, count=WARM_UP, connections=CONNECTIONS)
        wait_delivered(receiver, WARM_UP)
        since = SystemClock().now()
        post(running, load, skip=0, count=messages, connections=CONNECTIONS, rate=rate)
        wait_delivered(receiver, WARM_UP + messages - waiting)
        waits = _waits(running, since, others=messages - to_tenth, waiting=waiting)
        receiver.post("/let_go").raise_for_status()
    return waits


def _waits(running: Running, since: datetime, *, others: int, waiting: int) -> Waits:
    assert running.settings is not None
    engine = reading(open_engine(running.settings.main_url))
    d, m = deliveries.c, messages.c
    ours = select(d.authority, d.state, m.accepted_at, d.received_at).join(messages, m.id == d.message_id).where(m.accepted_at >= since)
    found: list[float] = []
    queued: list[str] = []

    def all_recorded() -> bool:
        with engine.begin() as connection:
            rows = connection.execute(ours).all()
        arrived = [row for row in rows if row.state == "received" and row.authority != DEAD]
        found[:] = [(row.received_at - row.accepted_at).total_seconds() * 1000 for row in arrived]
        queued[:] = [row.authority for row in rows if row.state == "queued"]
        return len(found) == others and len(queued) == waiting

    try:
        eventually(all_recorded, within=20, every=0.1, what="every receipt recorded")
    except GaveUpWaiting:
        raise PromiseBroken(f"{len(found)} received of {others}, {len(queued)} waiting of {waiting}") from None
    finally:
        engine.dispose()
    if set(queued) - {DEAD}:
        raise PromiseBroken("what waits is not only the dead receiver's")
    shares = quantiles(found, n=100, method="inclusive")
    return Waits(shares[49], shares[94], shares[98], len(found), len(queued))
