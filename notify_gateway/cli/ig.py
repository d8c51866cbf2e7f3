# SPDX-License-Identifier: MIT
"""Information governance: who may read the log, and with which tokens. Such a token opens nothing else."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.parties import Days, TokenId, as_documents, as_lines, instant, issue_token, readable, revoke_token, tokens_of
from notify_gateway.cli.service import opened, operator

app = typer.Typer(no_args_is_help=True, help="Let information governance read the audit log over HTTP, and manage its tokens.")

_NAME = re.compile(r"[a-z][a-z0-9-]{1,15}")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Short name of the reader in the log: a post, not a person, such as dpo-icb.")]


@app.command()
def register(
    name: Name,
    organisation: Annotated[str, typer.Option("--for", help="Whose reader it is, in words: the post and its organisation.")],
    as_json: AsJson = False,
) -> None:
    """Register a reader of the log. What it reads, searches and exports is recorded under its name.

    Example: notify-gateway ig register dpo-icb --for "Data Protection Officer, Example ICB"
    """
    from notify_gateway.use_cases import onboard

    code = _short(name)
    with opened() as runtime:
        client = onboard.register_ig(runtime.gateway, code=code, name=readable(organisation), actor=operator())
    document = {"name": client.code, "for": client.name}
    show(as_json, document, f"Registered {client.code}: {client.name}.", f"Next: notify-gateway ig token {client.code}")


@app.command()
def token(name: Name, days: Days = 90, as_json: AsJson = False) -> None:
    """Issue a bearer token that reads the log and opens no data; only its digest is kept.

    Example: notify-gateway ig token dpo-icb --days 90
    """
    issue_token("ig", _short(name), days, as_json=as_json)


@app.command("list")
def list_readers(as_json: AsJson = False) -> None:
    """List the readers of the log with their tokens' ids and standing."""
    with opened() as runtime:
        held = tokens_of(runtime, "ig")
    document: list[Json] = [
        {
            "name": client.code,
            "for": client.name,
            "registered_at": instant(client.created_at),
            "tokens": as_documents(tokens),
        }
        for client, tokens in held
    ]
    rows = [(client.code, client.name, as_lines(tokens)) for client, tokens in held]
    empty = "Nobody is registered to read the log. Next: notify-gateway ig register NAME --for WHO"
    show(as_json, document, table(("Name", "For", "Tokens"), rows) if rows else empty)


@app.command()
def revoke(token_id: TokenId, as_json: AsJson = False) -> None:
    """Revoke a token. Every process refuses it within seconds.

    Example: notify-gateway ig revoke 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11
    """
    revoke_token(token_id, as_json=as_json)


def _short(name: str) -> str:
    wanted = name.strip().lower()
    if _NAME.fullmatch(wanted) is None:
        raise CommandFailed(
            "That is no short name", "A reader's name has 2 to 16 small letters, digits and hyphens.", "Choose one such as dpo-icb."
        )
    return wanted
