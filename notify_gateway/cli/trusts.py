# SPDX-License-Identifier: MIT
"""Trusts and other senders: on to the service, with keys to sign in with, or in a test with tokens that last."""

from __future__ import annotations

from typing import Annotated

import typer

from notify_gateway.cli import trust_keys
from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.parties import Days, TokenId, as_documents, as_lines, instant, issue_token, readable, revoke_token, tokens_of
from notify_gateway.cli.service import opened, opened_books, operator
from notify_gateway.cli.trust_keys import Jwks, JwksUrl, Ods, ods_code, offer, show_proposal
from notify_gateway.domain.model import OrganisationType

app = typer.Typer(no_args_is_help=True, help="Bring trusts on to the service, and manage their keys and tokens.")
app.add_typer(trust_keys.app, name="keys")

Name = Annotated[str, typer.Option(help="The organisation's name.")]
Kind = Annotated[
    OrganisationType,
    typer.Option("--type", help="What kind of body it is. 'other' is not bound by section 23: its notifications are voluntary."),
]


@app.command()
def invite(ods: Ods, name: Name, kind: Kind, jwks: Jwks = None, jwks_url: JwksUrl = None, as_json: AsJson = False) -> None:
    """Propose a trust with its public key: the first of two people. Prints the client id and the fingerprint, and what comes next.

    Example: notify-gateway trusts invite RXX --name "Example Community NHS Trust" --type nhs-trust --jwks rxx.json
    """
    from notify_gateway.use_cases import client_keys

    code = ods_code(ods)
    with opened_books() as books:
        proposal = client_keys.invite(
            books, ods=code, name=readable(name), organisation_type=kind, offer=offer(jwks, jwks_url), actor=operator()
        )
    show_proposal(proposal, as_json=as_json)


@app.command()
def approve(
    ods: Ods,
    fingerprint: Annotated[list[str], typer.Option(help="What the trust read out by telephone, spaces as you like; once for each key.")],
    as_json: AsJson = False,
) -> None:
    """Approve the keys that somebody else proposed: the second of two people. From then on the trust can sign in.

    Example: notify-gateway trusts approve RXX --fingerprint '9f86 d081 …'
    """
    from notify_gateway.use_cases import client_keys

    code = ods_code(ods)
    with opened_books() as books:
        proposal = client_keys.approve(books, ods=code, fingerprints=fingerprint, actor=operator())
    document = {"ods": code, "client_id": str(proposal.client_id), "proposed_by": proposal.proposed_by}
    show(as_json, document, f"Approved. {proposal.name} ({code}) can sign in as client {proposal.client_id}.")


@app.command()
def register(
    ods: Ods,
    name: Name,
    kind: Kind,
    as_json: AsJson = False,
) -> None:
    """Register a sending organisation without a key, to try the service out. For real use: trusts invite and trusts approve.

    Example: notify-gateway trusts register RXX --name "Example Community NHS Trust" --type nhs-trust
    """
    from notify_gateway.use_cases import onboard

    code = ods_code(ods)
    with opened() as runtime:
        client = onboard.register_trust(runtime.gateway, ods=code, name=readable(name), organisation_type=kind, actor=operator())
    document = {"ods": client.code, "name": client.name, "type": client.organisation_type}
    show(as_json, document, f"Registered {client.name} ({client.code}).", f"Next: notify-gateway trusts token {client.code}")


@app.command()
def token(ods: Ods, days: Days = 365, as_json: AsJson = False) -> None:
    """Issue a token that lasts, to try the service out; a live deployment refuses it, there trusts sign in with their keys.

    Example: notify-gateway trusts token RXX --days 30
    """
    issue_token("trust", ods_code(ods), days, as_json=as_json)


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
def revoke(token_id: TokenId, as_json: AsJson = False) -> None:
    """Revoke a token, of a trust or of an authority. Every process refuses it within seconds.

    Example: notify-gateway trusts revoke 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11
    """
    revoke_token(token_id, as_json=as_json)
