# SPDX-License-Identifier: MIT
"""Trusts and other senders: on to the service, with tokens."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.parties import Days, as_documents, as_lines, instant, issue_token, readable, tokens_of
from notify_gateway.cli.service import opened, operator
from notify_gateway.domain.model import OrganisationType

app = typer.Typer(no_args_is_help=True, help="Bring trusts on to the service, and manage their tokens.")

Ods = Annotated[str, typer.Argument(metavar="ODS", help="ODS code, such as RXX; messages must bear it as their sender.")]


@app.command()
def register(
    ods: Ods,
    name: Annotated[str, typer.Option(help="The organisation's name.")],
    kind: Annotated[
        OrganisationType,
        typer.Option("--type", help="What kind of body it is. 'other' is not bound by section 23: its notifications are voluntary."),
    ],
    as_json: AsJson = False,
) -> None:
    """Register a sending organisation. Two people should have checked that it is who it says.

    Example: notify-gateway trusts register RXX --name "Example Community NHS Trust" --type nhs-trust
    """
    from notify_gateway.use_cases import onboard

    code = _ods(ods)
    with opened() as runtime:
        client = onboard.register_trust(runtime.gateway, ods=code, name=readable(name), organisation_type=kind, actor=operator())
    document = {"ods": client.code, "name": client.name, "type": client.organisation_type}
    show(as_json, document, f"Registered {client.name} ({client.code}).", f"Next: notify-gateway trusts token {client.code}")


@app.command()
def token(ods: Ods, days: Days = 365, as_json: AsJson = False) -> None:
    """Issue a bearer token that may send notifications for one trust, and read their Tasks; only its digest is kept."""
    issue_token("trust", _ods(ods), days, as_json=as_json)


@app.command("list")
def list_trusts(as_json: AsJson = False) -> None:
    """List the trusts with their tokens' ids and standing."""
    with opened() as runtime:
        held = tokens_of(runtime, "trust")
    document: list[Json] = [
        {
            "ods": client.code,
            "name": client.name,
            "type": client.organisation_type,
            "registered_at": instant(client.created_at),
            "tokens": as_documents(tokens),
        }
        for client, tokens in held
    ]
    rows = [(client.code, client.name, client.organisation_type, as_lines(tokens)) for client, tokens in held]
    empty = "No trust is registered. Next: notify-gateway trusts register ODS --name NAME --type nhs-trust"
    show(as_json, document, table(("ODS", "Name", "Type", "Tokens"), rows) if rows else empty)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="The token's id, as issue and list show it.")], as_json: AsJson = False
) -> None:
    """Revoke a token, of a trust or of an authority. Every process refuses it within seconds."""
    from notify_gateway.use_cases import onboard

    try:
        wanted = UUID(token_id)
    except ValueError:
        raise CommandFailed("That is no token id", "A token id is a UUID; it is not the token.", "Find it in the list of tokens.") from None
    with opened() as runtime:
        onboard.revoke_token(runtime.gateway, token_id=wanted, actor=operator())
    show(as_json, {"revoked": str(wanted)}, f"Revoked {wanted}.")


def _ods(text: str) -> str:
    code = text.strip().upper()
    if not (code.isascii() and code.isalnum() and 3 <= len(code) <= 10):
        raise CommandFailed("That is no ODS code", "An ODS code has 3 to 10 letters and digits.", "Look it up in the ODS portal.")
    return code
