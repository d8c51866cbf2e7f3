# SPDX-License-Identifier: MIT
"""All that is measured of delivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.delivery.backlog import Backlog, measure_backlog
from benchmarks.delivery.day import Made, measure_day
from benchmarks.delivery.dead import DeadReceiver, measure_dead_receiver
from benchmarks.measure import Load
from benchmarks.systems import Place
from tests.support.messages import a_message


@dataclass(frozen=True)
class DeliveryPlan:
    """How much is measured.

    ``messages`` at ``rate`` a second to ten authorities; ``steady`` messages beside a ``backlog``; deliveries of a ``day``; each comparison
    in so many ``pairs``.
    """

    messages: int
    rate: float
    steady: int
    backlog: int
    day: int
    pairs: int

    def at_most(self, messages: int) -> DeliveryPlan:
        """Return the plan made small: no run of more messages than that."""
        small = {name: min(messages, getattr(self, name)) for name in ("messages", "steady", "backlog", "day")}
        return replace(self, **small)


@dataclass(frozen=True)
class DeliveryFigures:
    """What was measured."""

    dead: DeadReceiver
    backlog: Backlog
    day: list[Made]

    @property
    def kept(self) -> dict[str, bool]:
        """Return by aim whether it is kept."""
        return {"dead": self.dead.kept, "backlog": self.backlog.kept}


def measure_delivery(place: Place, plan: DeliveryPlan, tell: Callable[[str], None]) -> DeliveryFigures:
    """Measure all, and say what is under way; raises ``PromiseBroken`` when the service did not keep what it promised."""
    dead, backlog = DeadReceiver(plan.rate, [], []), Backlog([], [])
    tell(f"One dead receiver among ten, {plan.messages} messages at {plan.rate:.0f}/s, {plan.pairs} pairs …")
    for name, waits in measure_dead_receiver(place, messages=plan.messages, rate=plan.rate, pairs=plan.pairs):
        getattr(dead, name).append(waits)
        tell(f"    {name}: the other nine waited {waits.p95_ms:.0f} ms at the 95th percentile; {waits.kept_waiting} wait")
    messages = place.folder / "backlog.jsonl"
    most = max(load.messages + load.warm_up for load in (Load(plan.steady, 1), Load(plan.backlog, 1)))
    with messages.open("wb") as file:
        file.writelines(a_message(index).bytes() + b"\n" for index in range(most))
    tell(f"A backlog of {plan.backlog} beside a steady load of {plan.steady}, {plan.pairs} pairs …")
    for steady, drained in measure_backlog(place, messages, steady=plan.steady, backlog=plan.backlog, pairs=plan.pairs):
        backlog.steady.append(steady)
        backlog.drained.append(drained)
        tell(f"    {steady:.0f}/s steadily, {drained.per_s:.0f}/s of the backlog; {drained.promises}")
    messages.unlink()
    tell(f"The file of a day with {plan.day} deliveries …")
    return DeliveryFigures(dead, backlog, measure_day(place, plan.day))
