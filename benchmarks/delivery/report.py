# SPDX-License-Identifier: MIT
"""The figures of delivery as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from rich.table import Table

from benchmarks.delivery.backlog import LEAST
from benchmarks.delivery.dead import MOST
from benchmarks.delivery.measure import DeliveryFigures

_KEPT = {True: "kept", False: "NOT kept"}


def delivery_tables(figures: DeliveryFigures) -> Iterator[Table]:
    """Yield what is printed of delivery."""
    dead = figures.dead
    title = f"From acceptance to receipt at nine of ten authorities, {dead.rate:.0f}/s in all"
    waits = Table("", "p50 ms", "p95 ms", "p99 ms", title=title)
    waits.caption = (
        f"Median (least to most). Aim: the p95 beside a dead receiver is within the control's spread, or {MOST} of it; {_KEPT[dead.kept]}."
    )
    for name, runs in (("all ten answer", dead.control), ("one takes connections and never answers", dead.dead)):
        waits.add_row(name, *(_spread([getattr(run, figure) for run in runs]) for figure in ("p50_ms", "p95_ms", "p99_ms")))
    waits.add_row("ratio, pair by pair", "", _spread(dead.ratios), "", style="bold")
    yield waits

    backlog = figures.backlog
    drain = Table("", "delivered/s", title=f"A backlog of {backlog.drained[0].backlog:,} that drains")
    drain.caption = f"Median (least to most). Aim: at least {LEAST} of the steady rate; {_KEPT[backlog.kept]}."
    drain.add_row("steady load, end to end", _spread(backlog.steady))
    drain.add_row("backlog, from the first hint to the last delivery", _spread([each.per_s for each in backlog.drained]))
    drain.add_row("  its last tenth", _spread([each.last_tenth_per_s for each in backlog.drained]))
    drain.add_row("ratio, pair by pair", _spread(backlog.ratios), style="bold")
    yield drain

    day = Table("file", "deliveries", "MB", "seconds", "grew by MB", title="The reconciliation file of one day")
    day.caption = "The whole command, start included; its memory beside that for a day on which nothing happened."
    for made in figures.day:
        day.add_row(made.form, f"{made.deliveries:,}", f"{made.megabytes:.1f}", f"{made.seconds:.1f}", f"{made.grew_mb:.0f}")
    yield day


def _spread(values: Sequence[float]) -> str:
    digits = 0 if min(values) >= 100 else 2
    middle, least, most = (f"{value:.{digits}f}" for value in (median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"
