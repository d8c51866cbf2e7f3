# SPDX-License-Identifier: MIT
"""How far a long piece of work has come: a bar on a terminal, a line now and then elsewhere; on standard error, in numbers alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from notify_gateway.cli.output import tell

T = TypeVar("T")

LINE_EVERY = 10.0


def counted(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield the items, telling meanwhile how many of them are done."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        yield from track(items, what, console=Console(stderr=True))
        return
    told_at = time.monotonic()
    for number, item in enumerate(items):
        if time.monotonic() - told_at >= LINE_EVERY:
            told_at = time.monotonic()
            tell(f"{number:,} of {len(items):,} {what}")
        yield item
