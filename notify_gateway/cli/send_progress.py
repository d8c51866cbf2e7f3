# SPDX-License-Identifier: MIT
"""How far a run has come: a bar on a terminal, a line now and then elsewhere; on standard error, in numbers alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from notify_gateway.cli.output import tell
from notify_gateway.cli.send_results import Standing
from notify_gateway.cli.send_run import Count, Teller

LINE_EVERY = 10.0


@contextmanager
def progress(total: int | None, *, verb: str) -> Iterator[Teller]:
    """Give what tells of the run while it lasts."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(verb, total=total, words="")
        yield _Bar(lambda position, words: bar.update(task, completed=position, words=words))


def in_words(count: Count, seconds: float) -> str:
    """Return the numbers in one line."""
    done = sum(count.now.values())
    parts = [f"{done:,} lines", f"{done / max(seconds, 0.001):,.0f}/s"]
    parts += [f"{count.now[standing]:,} {standing.value}" for standing in Standing if count.now[standing] or standing is Standing.ACCEPTED]
    if settled := sum(count.before.values()):
        parts.append(f"{settled:,} settled before")
    return ", ".join(parts)


class _Lines:
    def __init__(self) -> None:
        self._began = self._told_at = time.monotonic()

    def told(self, count: Count, position: int) -> None:  # noqa: ARG002 - of no use without a bar
        now = time.monotonic()
        if now - self._told_at >= LINE_EVERY:
            self._told_at = now
            tell(in_words(count, now - self._began))

    def waiting(self, why: str, seconds: float) -> None:
        tell(_waiting(why, seconds))


@dataclass
class _Bar:
    _update: Callable[[int, str], None]

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._position = 0

    def told(self, count: Count, position: int) -> None:
        self._position = position
        self._update(position, in_words(count, time.monotonic() - self._began))

    def waiting(self, why: str, seconds: float) -> None:
        self._update(self._position, _waiting(why, seconds))


def _waiting(why: str, seconds: float) -> str:
    return f"Waiting, {seconds:.0f} s or more: {why}"
