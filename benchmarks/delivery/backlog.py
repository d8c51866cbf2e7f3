# SPDX-License-Identifier: MIT
"""A backlog that grew while nobody dispatched: how fast it drains, beside the rate at which the service delivers what comes steadily."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2

from benchmarks.measure import Load, measure, post, wait_delivered
from benchmarks.systems import Place, service, service_without_rate

CONNECTIONS = 8
PORTION = 2000
LEAST = 0.8
"""Share of the steady rate at which a backlog has to drain."""


@dataclass(frozen=True)
class Drained:
    """A backlog drained: how many, at what rate a second over all of it, and over its last tenth."""

    backlog: int
    per_s: float
    last_tenth_per_s: float
    promises: str


@dataclass(frozen=True)
class Backlog:
    """``steady``: deliveries a second, end to end, under a steady load; ``drained``: runs in pairs with those."""

    steady: list[float]
    drained: list[Drained]

    @property
    def ratios(self) -> list[float]:
        """Return drained / steady for each pair."""
        return [drained.per_s / steady for drained, steady in zip(self.drained, self.steady, strict=True)]

    @property
    def kept(self) -> bool:
        """Tell whether, in the middle, it drains fast enough."""
        return median(self.ratios) >= LEAST


def measure_backlog(place: Place, messages: Path, *, steady: int, backlog: int, pairs: int) -> Iterator[tuple[float, Drained]]:
    """Yield pairs of a steady run and a drained backlog; raises ``PromiseBroken``. The file holds as many messages as the larger takes."""
    for _ in range(pairs):
        rate = measure(service, place, Load(steady, CONNECTIONS), messages).delivered_per_s
        yield rate, _drain(place, messages, backlog)


def _drain(place: Place, messages: Path, backlog: int) -> Drained:
    load = Load(backlog, CONNECTIONS)
    with service_without_rate(place) as running, httpx2.Client(base_url=place.receiver_url) as receiver:
        receiver.post("/forget").raise_for_status()
        tasks = post(running, messages, skip=0, count=load.warm_up, connections=CONNECTIONS)["tasks"]
        wait_delivered(receiver, load.warm_up)
        (scheduler,) = running.parts["scheduler"]
        os.kill(scheduler, signal.SIGSTOP)
        for start in range(0, backlog, PORTION):
            count = min(PORTION, backlog - start)
            tasks += post(running, messages, skip=load.warm_up + start, count=count, connections=CONNECTIONS)["tasks"]
        before = receiver.get("/count").raise_for_status().json()
        began = time.monotonic()
        os.kill(scheduler, signal.SIGCONT)
        wait_delivered(receiver, load.warm_up + backlog, within=60 + backlog / 100)
        tally = receiver.get("/tally").raise_for_status().json()
        assert running.promises is not None
        kept = running.promises.check(tasks, tally["posts"], within=60 + backlog / 100)
    if before != load.warm_up:
        raise RuntimeError(f"{before - load.warm_up} were delivered while the scheduler stood still")
    arrived = sorted(at for at in tally["first_at"].values() if at >= began)
    tenth = arrived[-1 - len(arrived) // 10]
    return Drained(backlog, backlog / (arrived[-1] - began), (len(arrived) // 10) / max(arrived[-1] - tenth, 1e-9), kept)
