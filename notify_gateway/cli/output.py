# SPDX-License-Identifier: MIT
"""Printing: results on standard output, in words or as JSON; everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, TypeAlias

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

Words: TypeAlias = RenderableType
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

WIDTH_OF_A_FILE = 160

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else on standard output.")]


def show(as_json: bool, document: Json, *words: Words) -> None:
    """Print a result: ``document`` as JSON, or else ``words``, one below the other."""
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
    for each in words:
        put(console, each)


def tell(*words: Words) -> None:
    """Print what is not the result (progress, warnings) on standard error."""
    for each in words:
        put(Console(stderr=True), each)


def put(console: Console, words: Words) -> None:
    """Print as it stands: no markup is read out of values, and a line that is to be copied is never broken."""
    console.print(words, markup=False, highlight=False, emoji=False, soft_wrap=isinstance(words, str | Text))


def facts(rows: Mapping[str, object]) -> Text:
    """Return labels with their values beside them; no value is ever broken, so that it can be copied."""
    width = max(map(len, rows)) + 2
    return Text("\n").join(Text.assemble((f"{label:<{width}}", "dim"), str(value)) for label, value in rows.items())


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table whose cells are folded and never cut off."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    return made


def warning(words: str) -> Text:
    """Return a sentence that must not be overlooked."""
    return Text(words, style="yellow")
