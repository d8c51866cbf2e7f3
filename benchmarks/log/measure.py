# SPDX-License-Identifier: MIT
"""All that is measured of the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.log.export import Verified, measure_export
from benchmarks.log.pace import Pace, measure_pace
from benchmarks.log.tree import Rates, measure_tree
from benchmarks.measure import Figures, Load, measure
from benchmarks.systems import Place, service, service_without_log
from tests.support.messages import a_message

CONNECTIONS = 8
_A_MESSAGE_STANDS_FOR = 25


@dataclass(frozen=True)
class LogPlan:
    """Entries of the tree and of the export, seconds of each load, and pairs of runs of the service with and without its log."""

    tree: int
    export: int
    seconds: float
    pairs: int
    messages: int

    def at_most(self, messages: int) -> LogPlan:
        """Return the plan made small, in proportion to so many messages a run."""
        entries = messages * _A_MESSAGE_STANDS_FOR
        return LogPlan(min(self.tree, entries), min(self.export, entries), min(self.seconds, messages / 50), self.pairs, messages)


@dataclass(frozen=True)
class LogFigures:
    """What was measured. ``logged`` and ``unlogged`` are runs of the service with and without its log, in pairs made in turn."""

    ours: Rates
    pymerkle: Rates
    export: Verified
    paces: list[Pace]
    logged: list[Figures]
    unlogged: list[Figures]

    def cost(self, figure: str) -> list[float]:
        """Return for each pair with log / without it."""
        return [getattr(with_it, figure) / getattr(without, figure) for with_it, without in zip(self.logged, self.unlogged, strict=True)]


def measure_log(place: Place, plan: LogPlan, tell: Callable[[str], None]) -> LogFigures:
    """Measure all, and say what is under way; raises ``PromiseBroken`` when the logged service did not keep what it promised."""
    tell(f"The tree of {plan.tree} entries, beside pymerkle …")
    ours, pymerkle = measure_tree(plan.tree)
    tell(f"An export of {plan.export} entries …")
    export = measure_export(place.folder, plan.export)
    tell("From pending to signed …")
    paces = measure_pace(place, plan.seconds)
    messages = place.folder / "messages.jsonl"
    load = Load(plan.messages, CONNECTIONS)
    messages.write_bytes(b"".join(a_message(index).bytes() + b"\n" for index in range(load.messages + load.warm_up)))
    logged, unlogged = [], []
    for number in range(plan.pairs):
        tell(f"The service with and without its log, {load.messages} messages, {number + 1} of {plan.pairs} …")
        logged.append(measure(service, place, load, messages))
        unlogged.append(measure(service_without_log, place, load, messages))
    return LogFigures(ours, pymerkle, export, paces, logged, unlogged)
