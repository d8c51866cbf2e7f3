# SPDX-License-Identifier: MIT
"""Telling the demonstration: one line for each thing that was seen to happen, with the evidence under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap

from rich.console import Console, RenderableType
from rich.text import Text

from notify_gateway.cli.output import put

TITLE = 13


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, and what shows it."""

    title: str
    words: str
    evidence: tuple[str, ...]


@dataclass(slots=True)
class Narrator:
    """Prints each step as it is told, unless it is ``silent``; keeps all."""

    silent: bool = False
    steps: list[Step] = field(default_factory=list)
    _console: Console = field(default_factory=Console)

    def chapter(self, title: str) -> None:
        """Begin another part of the story."""
        self._print("")
        self._print(Text(title, style="bold"))

    def step(self, title: str, words: str, *evidence: str) -> None:
        """Tell one step."""
        self.steps.append(Step(title, words, evidence))
        first, *rest = self._lines(words)
        self._print(Text.assemble(("  ✓ ", "green"), (f"{title:<{TITLE}}", "bold"), first))
        for line in (*rest, *(part for each in evidence for part in self._lines(each))):
            self._print(Text(f"    {'':<{TITLE}}{line}", style="dim" if line not in rest else ""))

    def aside(self, words: RenderableType) -> None:
        """Say something that is no step."""
        self._print(words)

    def _lines(self, words: str) -> list[str]:
        """Break between words only: what is to be copied stays whole."""
        width = max(40, self._console.width - TITLE - 4)
        return wrap(words, width, break_long_words=False, break_on_hyphens=False) or [""]

    def _print(self, words: RenderableType) -> None:
        if not self.silent:
            put(self._console, words)
