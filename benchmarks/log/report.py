# SPDX-License-Identifier: MIT
"""The log's figures as tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from statistics import median

from rich.table import Table

from benchmarks.log.measure import LogFigures
from benchmarks.log.tree import Rates

CAPTION = "One thread, in memory, CPU time. In batches: as the sequencer appends; pymerkle knows no other way than one by one."
COMPARED = {"delivered_per_s": "delivered/s", "accepted_per_s": "accepted/s", "cpu_ms": "CPU ms per message"}


def log_tables(figures: LogFigures) -> Iterator[Table]:
    """Yield what is printed of the log."""
    tree = Table("per second", "ours", "pymerkle", "times", title=f"Audit log: a tree of {figures.ours.size} entries", caption=CAPTION)
    for each in fields(Rates)[1:]:
        ours, other = (getattr(rates, each.name) for rates in (figures.ours, figures.pymerkle))
        tree.add_row(each.name.replace("_", " "), f"{ours:,.0f}", f"{other:,.0f}", f"{ours / other:.1f}")
    yield tree

    paces = Table("load", "entries/s", "p50 ms", "p99 ms", "sequencer", "PostgreSQL", title="Audit log: from pending to signed")
    paces.caption = "From the commit of an entry to that of the checkpoint over it. CPU as a share of one core."
    for pace in figures.paces:
        waits = [f"{pace.p50_ms:.0f}", f"{pace.p99_ms:.0f}"] if pace.entries_per_s else ["", ""]
        paces.add_row(pace.load, f"{pace.entries_per_s:.0f}", *waits, f"{pace.sequencer_cpu:.1%}", f"{pace.postgres_cpu:.1%}")
    yield paces

    export = Table("entries", "MB", "seconds", "grew by MB", title="Audit log: an export verified offline")
    done = figures.export
    export.add_row(f"{done.entries:,}", f"{done.megabytes:.0f}", f"{done.seconds:.2f}", f"{done.grew_mb:.1f}")
    yield export

    cost = Table("", "with the log", "without", "with / without", title="Audit log: what it costs the service, end to end")
    cost.caption = "Medians of pairs made in turn; the ratio is the median (least to most) of the pairs."
    for name, title in COMPARED.items():
        ratios = figures.cost(name)
        both = [median(getattr(run, name) for run in runs) for runs in (figures.logged, figures.unlogged)]
        cost.add_row(title, *(f"{value:.2f}" for value in both), f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    for part in figures.logged[0].cpu_ms_by_part:
        parts = [median(run.cpu_ms_by_part.get(part, 0.0) for run in runs) for runs in (figures.logged, figures.unlogged)]
        cost.add_row(f"  {part}", *(f"{value:.2f}" for value in parts), "")
    yield cost
