# SPDX-License-Identifier: MIT
"""Every command that the documentation shows is one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from notify_gateway.cli.main import app
from tests.support.waiting import ROOT

DOCUMENTS = [name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md") if (ROOT / name).exists()]


def shown_commands(text: str) -> list[str]:
    """Return the lines of shell blocks and the code spans that call make or notify-gateway, without prompt and comment."""
    blocks = re.findall(r"(?ms)^```(?:sh|bash|console|shell)\n(.*?)^```", text)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", text))
    return [re.sub(r"\s+#.*", "", line) for line in [*lines, *spans] if re.match(r"(make|notify-gateway)( |$)", line)]


def _targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8")))


def _exists(command: str) -> bool:
    """Ask the program for help on the words before the first option or argument; in this process, for each would take half a second."""
    words = []
    for word in command.split()[1:]:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        words.append(word)
    return CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


def test_there_is_a_readme_with_the_two_commands() -> None:
    shown = shown_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert "make run" in shown
    assert "make test" in shown


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_shown_exists(document: str) -> None:
    shown = shown_commands((ROOT / document).read_text(encoding="utf-8"))
    wanting = [
        line for line in shown if line.startswith("make ") and not {*re.findall(r"(?<= )[a-z][a-z-]*(?= |$)", line)[:1]} <= _targets()
    ]
    wanting += [line for line in sorted(set(shown)) if line.startswith("notify-gateway ") and not _exists(line)]
    assert wanting == []


def test_commands_are_found_in_blocks_and_in_the_text(tmp_path: Path) -> None:
    text = "Run `make run ONCE=1` or `git log`.\n```sh\n$ notify-gateway keys make  # once\nls\n```\n"
    assert shown_commands(text) == ["notify-gateway keys make", "make run ONCE=1"]
