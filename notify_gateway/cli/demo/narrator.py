# SPDX-License-Identifier: MIT
"""Telling the demonstration: one line for each thing that was seen to happen, with the evidence under it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.text import Text

from notify_gateway.cli.output import put


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
        self._print(Text.assemble(("  ✓ ", "green"), (f"{title:<13}", "bold"), words))
        for line in evidence:
            self._print(Text(f"    {'':<13}{line}", style="dim"))

    def aside(self, words: RenderableType) -> None:
        """Say something that is no step."""
        self._print(words)

    def _print(self, words: RenderableType) -> None:
        if not self.silent:
            put(self._console, words)
