# SPDX-License-Identifier: MIT
"""The command teaches: each command has help in words, known at once; wrong usage is told as such."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from notify_gateway import __version__
from notify_gateway.cli.main import app
from tests.cli.conftest import Call, call_outside
from tests.support.processes import base_environment

SHOWN_AS_JSON_ELSEWHERE = {"config docs", "audit verify"}
PROCESSES = {"serve", "worker", "schedule", "sequence", "opener", "pretend-authority", "witness serve"}


def _walk(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, child in getattr(command, "commands", {}).items():
        yield (*path, name), child
        yield from _walk(child, (*path, name))


ALL = dict(_walk(typer.main.get_command(app)))
LEAVES = {" ".join(path): command for path, command in ALL.items() if not hasattr(command, "commands")}


@pytest.mark.parametrize("path", [path for path in ALL if path[0] != "audit" or len(path) == 1], ids=" ".join)
def test_help_says_what_a_command_does(path: tuple[str, ...], call: Call) -> None:
    result = call(*path, "--help")
    assert result.status == 0
    assert result.err == ""
    assert f"Usage: notify-gateway {' '.join(path)}" in result.words
    text = ALL[path].help or ""  # type: ignore[attr-defined]
    assert len(text) >= 25
    assert text.split(".")[0].split(":")[0] in result.words.replace("│ ", "")


def test_every_option_and_argument_is_explained() -> None:
    silent = [
        f"{name} {parameter.name}"
        for name, command in LEAVES.items()
        for parameter in command.params  # type: ignore[attr-defined]
        if not getattr(parameter, "help", None) and parameter.name not in ("help",)
    ]
    assert silent == []


def test_every_command_that_prints_a_result_prints_it_as_json_too() -> None:
    without = {
        name
        for name, command in LEAVES.items()
        if not any("--json" in parameter.opts for parameter in command.params)  # type: ignore[attr-defined]
    }
    assert without == SHOWN_AS_JSON_ELSEWHERE | PROCESSES


def test_help_needs_no_heavy_module() -> None:
    code = (
        "import sys, notify_gateway.cli.main\n"
        "heavy = ('sqlalchemy', 'fastapi', 'celery', 'fhir', 'pydantic_settings', 'aiohttp', 'httpx2', 'alembic', 'uvicorn', 'structlog')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=base_environment(), capture_output=True, text=True, timeout=30)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_version(call: Call) -> None:
    assert call("--version").out == f"notify-gateway {__version__}\n"


def test_no_command_shows_the_help(call: Call) -> None:
    result = call()
    assert "notify-gateway demo" in result.words


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("serve", "--port", "0"), ("trusts", "register", "RXX"), ("authorities", "register", "E06000004", "--custody", "ours")],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], call: Call) -> None:
    result = call(*arguments)
    assert result.status == 2
    assert "Usage: notify-gateway" in result.err
    assert result.out == ""


def test_it_runs_as_a_module_too(tmp_path: Path) -> None:
    assert call_outside("--version", folder=tmp_path).out.startswith("notify-gateway ")


def test_audit_verify_is_the_offline_verifier(call: Call) -> None:
    result = call("audit", "verify", "--help")
    assert result.status == 0
    assert "receipt" in result.out
    assert "promise" in result.out
    assert call("audit", "verify", "receipt").status == 2


FOR_OTHERS = ("trusts", "authorities", "ig", "postcodes", "send", "validate", "examples", "conformance", "mappings", "authority", "witness")
FOR_OPERATORS = ("erase", "hold", "restore", "health")


def test_commands_about_organisations_and_of_their_own_show_how_they_are_given_something() -> None:
    asked = {
        name: command
        for name, command in LEAVES.items()
        if name.split()[0] in (*FOR_OTHERS, *FOR_OPERATORS) and any(parameter.required for parameter in command.params)  # type: ignore[attr-defined]
    }
    assert len(asked) > 15
    assert {name for name, command in asked.items() if f"Example: notify-gateway {name} " not in (command.help or "")} == set()  # type: ignore[attr-defined]
