# SPDX-License-Identifier: MIT
"""The figures as tables for people and as JSON for machines: medians with their spread, and ratios pair by pair."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.delivery.measure import DeliveryFigures
from benchmarks.delivery.report import delivery_tables
from benchmarks.front_door import AIM_US, FrontDoor
from benchmarks.inbox.measure import InboxFigures
from benchmarks.inbox.report import inbox_tables
from benchmarks.log.measure import LogFigures
from benchmarks.log.report import log_tables
from benchmarks.measure import Figures
from benchmarks.steps import WITHIN, Steps

BASELINES = ("baseline", "lean baseline")
RATES = ("accepted_per_s", "accept_p50_ms", "accept_p99_ms", "delivered_per_s", "drained_per_s", "cpu_ms")
COMPARED = ("accepted_per_s", "delivered_per_s", "cpu_ms")
TITLES = ("accepted/s", "p50 ms", "p99 ms", "delivered/s", "drained/s", "CPU ms")
NOTE = (
    "Median (least to most) of the runs. delivered/s: end to end, from the first byte sent to the last delivery; drained/s: while the "
    "backlog lasts. CPU ms: per message, of everything but receiver and load generator. No TLS anywhere; all on one machine: compare, "
    "do not quote."
)


@dataclass
class Results:
    """All runs by system and number of connections, in the order in which they were made, and the cost of the steps."""

    runs: dict[tuple[str, int], list[Figures]] = field(default_factory=lambda: defaultdict(list))
    steps: Steps | None = None
    log: LogFigures | None = None
    delivery: DeliveryFigures | None = None
    inbox: InboxFigures | None = None

    def add(self, system: str, connections: int, figures: Figures) -> None:
        """Take in a run."""
        self.runs[system, connections].append(figures)

    def ratios(self, baseline: str, connections: int, figure: str) -> list[float]:
        """Return service / ``baseline`` for each pair of runs made one after the other."""
        pairs = zip(self.runs["service", connections], self.runs[baseline, connections], strict=True)
        return [getattr(ours, figure) / getattr(plain, figure) for ours, plain in pairs]

    @property
    def paired(self) -> list[int]:
        """Return the numbers of connections at which service and baseline were compared."""
        return sorted({connections for name, connections in self.runs if name == "service"}, reverse=True)


def tables(results: Results) -> Iterator[Table]:
    """Yield what is printed."""
    if results.runs:
        yield from _service(results)
    if results.steps is not None:
        yield _front_door(results.steps.front_door)
        yield _steps(results.steps)
    if results.log is not None:
        yield from log_tables(results.log)
    if results.delivery is not None:
        yield from delivery_tables(results.delivery)
    if results.inbox is not None:
        yield from inbox_tables(results.inbox)


def _service(results: Results) -> Iterator[Table]:
    rates = Table("", "connections", *TITLES, title="Notifications per second", caption=NOTE)
    for (name, connections), figures in results.runs.items():
        rates.add_row(name, str(connections), *(_spread([getattr(each, rate) for each in figures]) for rate in RATES))
    for baseline in BASELINES:
        for connections in results.paired:
            ratios = {rate: results.ratios(baseline, connections, rate) for rate in COMPARED}
            rates.add_row(f"service / {baseline}", str(connections), *(_spread(ratios.get(rate, [])) for rate in RATES), style="bold")
    yield rates

    parts = Table("", "connections", "part", "CPU ms per message", title="CPU by part")
    for (name, connections), figures in results.runs.items():
        for part in figures[0].cpu_ms_by_part:
            parts.add_row(name, str(connections), part, _spread([each.cpu_ms_by_part[part] for each in figures]))
    yield parts


def _front_door(found: FrontDoor) -> Table:
    aim = f"Aim: at most {AIM_US} µs; {'kept' if found.within_aim else 'NOT kept'} in the middle."
    table = Table("front door, 12-entry example", "least", "middle", "99th", title="CPU µs of one validation", caption=aim)
    rows = {"JSON, FHIR, message, law, needs, routing": found.validation_us, "fhir.resources R4B alone": found.models_alone_us}
    for name, values in rows.items():
        table.add_row(name, *(f"{values[int(share * (len(values) - 1))]:.0f}" for share in (0, 0.5, 0.99)))
    return table


def _steps(steps: Steps) -> Table:
    table = Table("step", "CPU µs", "time µs", title="Steps of the service, per message", caption="One process, PostgreSQL beside it.")
    for name, cost in steps.prepare.items():
        table.add_row(f"  {name}" if name in WITHIN else name, f"{cost.cpu_us:.0f}", f"{cost.wall_us:.0f}")
    for size, cost in steps.commit.items():
        table.add_row(f"commit, {size} to a group", f"{cost.cpu_us:.0f}", f"{cost.wall_us:.0f}")
    for name, cost in steps.deliver.items():
        table.add_row(name, f"{cost.cpu_us:.0f}", f"{cost.wall_us:.0f}")
    return table


def as_json(results: Results, plan: Any) -> str:
    """Return all figures, the plan and what they were taken on."""
    document: dict[str, Any] = {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "plan": asdict(plan),
        "runs": [
            {"system": name, "connections": connections, **asdict(each)}
            for (name, connections), figures in results.runs.items()
            for each in figures
        ],
        "ratios": [
            {"baseline": baseline, "connections": connections, **{rate: results.ratios(baseline, connections, rate) for rate in COMPARED}}
            for baseline in BASELINES
            for connections in results.paired
        ],
        "steps": asdict(results.steps) if results.steps else None,
        "log": asdict(results.log) if results.log else None,
        "delivery": asdict(results.delivery) | {"kept": results.delivery.kept} if results.delivery else None,
        "inbox": asdict(results.inbox) | {"kept": results.inbox.kept} if results.inbox else None,
    }
    return json.dumps(document, indent=1) + "\n"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    digits = 0 if min(values) >= 100 else 2
    middle, least, most = (f"{value:.{digits}f}" for value in (median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"
