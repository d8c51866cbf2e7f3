# SPDX-License-Identifier: MIT
"""What is set, from where, and whether it works."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import typer

from notify_gateway.cli.failures import FAILED
from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.service import settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

app = typer.Typer(no_args_is_help=True, help="Show the settings, and document all of them.")

WITHHELD = "set, and not shown"


@app.command("show")
def show_settings(as_json: AsJson = False) -> None:
    """Show every setting, its value and where it comes from. Secrets are not shown, only whether they are set."""
    from pydantic import SecretStr

    chosen = settings()
    rows: list[tuple[str, str | None, str]] = []
    for name in type(chosen).model_fields:
        value = getattr(chosen, name)
        rows.append((variable(name), WITHHELD if isinstance(value, SecretStr) else _plain(value), _source(name)))
    document: Json = {name: {"value": value, "from": source} for name, value, source in rows}
    show(as_json, document, table(("Setting", "Value", "From"), rows))


@app.command()
def docs() -> None:
    """Print all settings as a Markdown table, for the documentation."""
    typer.echo("| Setting | Default | What it does |\n|---|---|---|")
    for name, field in documented():
        typer.echo(f"| `{variable(name)}` | {_default(field)} | {field.description} |")


def doctor(as_json: AsJson = False) -> None:
    """Check this machine and the settings: keys, databases, broker, tables, log. Says how to mend what is wrong.

    The status is 1 when a check fails; warnings leave it at 0.
    """
    from rich.text import Text

    from notify_gateway.cli.doctor import examine
    from notify_gateway.cli.findings import State

    found = examine()
    failed = sum(each.state is State.FAIL for each in found)
    warned = sum(each.state is State.WARN for each in found)
    styles = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}
    rows: list[tuple[object, ...]] = []
    for each in found:
        rows.append((Text(each.state.value, style=styles[each.state]), each.name, each.value))
        if each.fix:
            rows.append(("", "", Text(f"Fix: {each.fix}", style=styles[each.state])))
    document: Json = {"failed": failed, "warned": warned, "checks": [each.document() for each in found]}
    verdict = f"{len(found)} checks: {failed} failed, {warned} to look at."
    show(as_json, document, table(("", "Check", "Found"), rows), "", verdict)
    raise typer.Exit(FAILED if failed else 0)


def documented() -> list[tuple[str, FieldInfo]]:
    """Return all settings with what is said of them: those of the whole service first, then those of its parts."""
    from notify_gateway.settings import Settings

    return sorted(Settings.model_fields.items(), key=lambda named: named[0] not in Settings.__annotations__)


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    from notify_gateway.settings import PREFIX

    return f"{PREFIX}{name.upper()}"


def _source(name: str) -> str:
    from dotenv import dotenv_values

    if variable(name) in os.environ:
        return "environment"
    if file := os.environ.get(f"{variable(name)}_FILE"):
        return f"file {file}"
    return ".env" if variable(name) in {key.upper() for key in dotenv_values(".env")} else "default"


def _default(field: FieldInfo) -> str:
    value = _plain(field.get_default())
    return "" if value in (None, "") else f"`{value}`"


def _plain(value: Any) -> str | None:
    """Return a value as it would be written in the environment."""
    from pydantic_core import to_jsonable_python

    plain = to_jsonable_python(value)
    if isinstance(plain, bool):
        return str(plain).lower()
    return None if plain is None else str(plain)
