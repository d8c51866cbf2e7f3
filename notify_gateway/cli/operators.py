# SPDX-License-Identifier: MIT
"""Operators: who may come to the operations pages, each with a token for a shift. Such a token opens nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table, tell, warning
from notify_gateway.cli.parties import TokenId, as_documents, as_lines, instant, revoke_token, tokens_of
from notify_gateway.cli.service import opened, operator

app = typer.Typer(no_args_is_help=True, help="Let operators come to the operations pages, and manage their tokens.")

LONGEST = timedelta(days=7)
_NAME = re.compile(r"[a-z][a-z0-9-]{1,15}")
_LASTS = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Short name of the operator; yours on this machine if empty.")]


@app.command()
def token(
    name: Name = None,
    lasts: Annotated[str, typer.Option(help="How long the token is good for, such as 30m, 8h or 2d; at most 7d.")] = "8h",
    look_only: Annotated[bool, typer.Option("--look-only", help="A token that sees everything and changes nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Issue a token with which an operator signs in at /ops; only its digest is kept.

    Example: notify-gateway operators token alex --lasts 8h
    """
    from notify_gateway.use_cases import operators

    code, long = _short(name), _duration(lasts)
    with opened() as runtime:
        made = operators.issue_token(runtime.gateway, name=code, lasts=long, may_act=not look_only, actor=operator())
    until = instant(made.expires_at)
    document = {"operator": code, "token": made.text, "token_id": str(made.id), "expires_at": until, "may_act": not look_only}
    show(as_json, document, made.text, "", facts({"for": code, "token id": made.id, "valid until": until}))
    tell(warning("This is the only time that the token is shown. Enter it at /ops; it is good for nothing else."))


@app.command("list")
def list_operators(as_json: AsJson = False) -> None:
    """List the operators with their tokens' ids and standing.

    Example: notify-gateway operators list
    """
    with opened() as runtime:
        held = tokens_of(runtime, "operator")
    document: list[Json] = [{"name": client.code, "tokens": as_documents(tokens)} for client, tokens in held]
    rows = [(client.code, as_lines(tokens)) for client, tokens in held]
    show(as_json, document, table(("Name", "Tokens"), rows) if rows else "There is no operator. Next: notify-gateway operators token NAME")


@app.command()
def revoke(token_id: TokenId, as_json: AsJson = False) -> None:
    """Revoke a token. Sessions that were opened with it end at once.

    Example: notify-gateway operators revoke 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11
    """
    revoke_token(token_id, as_json=as_json)


def _short(name: str | None) -> str:
    if name is None:
        own = re.sub(r"[^a-z0-9-]", "-", operator().removeprefix("operator:").lower())[:16]
        return own if _NAME.fullmatch(own) else "operator"
    wanted = name.strip().lower()
    if _NAME.fullmatch(wanted) is None:
        raise CommandFailed(
            "That is no short name", "An operator's name has 2 to 16 small letters, digits and hyphens.", "Choose one such as alex."
        )
    return wanted


def _duration(text: str) -> timedelta:
    match = _LASTS.fullmatch(text.strip())
    found = int(match[1]) * _UNITS[match[2]] if match else None
    if found is None or found > LONGEST:
        raise CommandFailed(
            "That is no time for a token", "A time is a number with m, h or d, at most 7d.", "Give --lasts 8h, for a shift."
        )
    return found
