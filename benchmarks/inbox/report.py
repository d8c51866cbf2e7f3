# SPDX-License-Identifier: MIT
"""The inbox's figures as a table."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median, quantiles

from rich.table import Table

from benchmarks.inbox.measure import AIM_MS, AIM_TIMES, InboxFigures


def inbox_tables(found: InboxFigures) -> Iterator[Table]:
    """Yield what is printed."""
    said = "kept" if found.kept else "NOT kept"
    caption = (
        f"Aim: the first page under {AIM_MS:.0f} ms in 95 of 100, and at most {AIM_TIMES:.0f} times as long as the small inbox: {said}."
    )
    sizes = (f"{found.plan.large:,}", f"{found.plan.small:,}")
    columns = ("page", f"{sizes[0]}: middle", "95th", f"{sizes[1]}: middle", "95th", "times")
    table = Table(*columns, title="Server time of an inbox's page, ms", caption=caption)
    for page, large in found.large.items():
        small = found.small[page]
        figures = (median(large), _most(large), median(small), _most(small), found.times(page))
        table.add_row(page, *(f"{each:.1f}" for each in figures))
    yield table


def _most(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]
