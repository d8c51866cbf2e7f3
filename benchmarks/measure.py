# SPDX-License-Identifier: MIT
"""One run: a fresh system, a warm-up, a load, and the figures of it once the backlog is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx2

from benchmarks.cpu import Meter
from benchmarks.systems import Place, Running, System
from tests.support.services import ROOT, base_environment, eventually

DELIVERED_WITHIN = 120.0


@dataclass(frozen=True)
class Figures:
    """What one run gave. Rates are per second; CPU is milliseconds per message of all but receiver and load generator."""

    messages: int
    accepted_per_s: float
    """From the first byte sent to the last 202."""
    accept_p50_ms: float
    accept_p99_ms: float
    delivered_per_s: float
    """End to end: from the first byte sent to the last delivery."""
    drained_per_s: float
    """Between the first and the ninth tenth of the deliveries."""
    cpu_ms: float
    cpu_ms_by_part: dict[str, float]
    posts_repeated: int
    load_average: float
    promises: str


@dataclass(frozen=True)
class Load:
    """How much is posted: ``warm_up`` messages first, which do not count, then ``messages`` over so many connections."""

    messages: int
    connections: int

    @property
    def warm_up(self) -> int:
        """A quarter as many, at most 400: until its processes have seen a few hundred messages each, every system is slower."""
        return min(400, max(50, self.messages // 4))


def measure(system: System, place: Place, load: Load, messages: Path) -> Figures:
    """Run ``system`` under ``load`` and return its figures; raises ``PromiseBroken``, or ``RuntimeError`` when a message was refused."""
    with system(place) as running, httpx2.Client(base_url=place.receiver_url) as receiver:
        receiver.post("/forget").raise_for_status()
        warmed = post(running, messages, skip=0, count=load.warm_up, connections=8)
        wait_delivered(receiver, load.warm_up)
        meter = Meter(running.parts)
        posted = post(running, messages, skip=load.warm_up, count=load.messages, connections=load.connections)
        wait_delivered(receiver, load.warm_up + load.messages)
        used = meter.used()
        tally = receiver.get("/tally").raise_for_status().json()
        kept = running.promises.check(warmed["tasks"] + posted["tasks"], tally["posts"]) if running.promises else ""
    return _figures(load, posted, tally, used, kept)


def post(running: Running, messages: Path, *, skip: int, count: int, connections: int, rate: float = 0) -> dict[str, Any]:
    """Post so many of the messages, as fast as they are answered or at a rate a second; raises ``RuntimeError`` if one is refused."""
    options = {"--skip": skip, "--count": count, "--connections": connections, "--rate": rate, "--token": running.token}
    # A token may begin with a hyphen, and is a value all the same.
    command = [sys.executable, "-m", "benchmarks.load", str(messages), *(f"{name}={value}" for name, value in options.items())]
    command += ["--ports", *map(str, running.ports)]
    done = subprocess.run(command, env=base_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    outcome: dict[str, Any] = json.loads(done.stdout)
    if outcome["statuses"] != {"202": count}:
        raise RuntimeError(f"not every message was accepted; answers by status: {outcome['statuses']}")
    return outcome


def wait_delivered(receiver: httpx2.Client, count: int, *, within: float = DELIVERED_WITHIN) -> None:
    """Return when the receiver has had so many different deliveries."""
    eventually(lambda: receiver.get("/count").json() >= count, within=within, every=0.1, what=f"{count} deliveries")


def _figures(load: Load, posted: dict[str, Any], tally: dict[str, Any], used: dict[str, float], kept: str) -> Figures:
    delivered = sorted(at for at in tally["first_at"].values() if at >= posted["began"])
    tenth = len(delivered) // 10
    latencies = quantiles(posted["latencies"], n=100, method="inclusive")
    per_message = {part: 1000 * seconds / load.messages for part, seconds in used.items()}
    return Figures(
        messages=load.messages,
        accepted_per_s=load.messages / (posted["ended"] - posted["began"]),
        accept_p50_ms=1000 * latencies[49],
        accept_p99_ms=1000 * latencies[98],
        delivered_per_s=load.messages / (delivered[-1] - posted["began"]),
        drained_per_s=(len(delivered) - 2 * tenth - 1) / (delivered[-1 - tenth] - delivered[tenth]),
        cpu_ms=sum(per_message.values()),
        cpu_ms_by_part=per_message,
        posts_repeated=sum(tally["posts"].values()) - len(tally["posts"]),
        load_average=os.getloadavg()[0],
        promises=kept,
    )
