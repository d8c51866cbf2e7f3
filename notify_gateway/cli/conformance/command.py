# SPDX-License-Identifier: MIT
"""``notify-gateway conformance``: play the whole set of good and bad messages against a deployment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.examples.command import Authority, HomePostcode, Ods
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, show, table, tell

if TYPE_CHECKING:
    import httpx2

    from notify_gateway.cli.conformance.report import Report
    from notify_gateway.cli.sign_in import SignIn

app = typer.Typer(no_args_is_help=True, help="The conformance kit: good and bad messages, and the answers that they must get.")


@app.callback()
def conformance() -> None:
    """Say whether a deployment answers as the interface promises, by its public parts alone."""


@app.command()
def run(
    url: Annotated[str, typer.Argument(metavar="URL", help="Base address of a test deployment, such as https://test.gateway.example.")],
    token_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="File that holds the sender's bearer token.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Sign in as this client, with --key, in place of a token.")] = None,
    key: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The client's private key, PEM or JWK.")] = None,
    kid: Annotated[str | None, typer.Option(help="The key's id, where its file does not name it.")] = None,
    ods: Ods = "RXX",
    authority: Authority = "E06000004",
    postcode: HomePostcode = "TS18 1LD",
    unserved: Annotated[str, typer.Option(metavar="GSS", help="GSS code of an authority that is not on the service.")] = "E06000053",
    promise_key: Annotated[str | None, typer.Option(help="Verifier key of promises; else the one at /log/keys.")] = None,
    log_key: Annotated[str | None, typer.Option(help="Verifier key of the log; else the one at /log/keys.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Play the cases whose names begin so; may be repeated.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="List the cases and play none.")] = False,
    json_file: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the result as JSON to this file.")] = None,
    junit: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the result as JUnit XML to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play every case against a test deployment, and end with 0 if all answers were right, else 1. Never against a live one.

    The children are invented, and what is accepted stays on that deployment. Needed there: a trust of that ODS code, and an authority that
    is on the service, with a key.

    Example: notify-gateway conformance run http://127.0.0.1:8080 --token-file token --ods RXX --junit conformance.xml
    """
    from notify_gateway.cli.conformance.collection import all_cases, chosen
    from notify_gateway.cli.examples.sender import sender_for

    sender = sender_for(ods, authority, postcode)
    cases = chosen(all_cases(sender, unserved, with_key=key is not None), only or [])
    if list_only:
        rows = [(case.name, case.expected, case.source) for case in cases]
        document = [{"name": case.name, "expected": case.expected, "source": case.source} for case in cases]
        show(as_json, document, table(("Case", "Expected", "Source"), rows))
        return

    import httpx2

    from notify_gateway.cli.conformance.deployment import keys_of, require_test
    from notify_gateway.cli.conformance.player import Player
    from notify_gateway.cli.conformance.report import Report
    from notify_gateway.cli.conformance.system import System

    base = url.rstrip("/")
    with httpx2.Client(base_url=base, timeout=30.0) as client:
        version = require_test(client)
        bearer, signing = _credentials(client, token_file, client_id, key, kid)
        system = System(client, bearer, keys_of(client, promises=promise_key, log=log_key), signing)
        report = Report(base, version, sender.ods, tuple(Player(sender, system).play(cases)))
    _give(report, as_json, json_file, junit)
    if not (promise_key and log_key):
        tell("Promises and receipts were verified with the keys that the deployment itself names; give yours to prove more.")
    if report.failed:
        raise typer.Exit(1)


def _credentials(
    client: httpx2.Client, token_file: Path | None, client_id: str | None, key: Path | None, kid: str | None
) -> tuple[Callable[[], str], SignIn | None]:
    """Return what gives the sender's token, and who signs in where it is by a key."""
    if token_file is not None and client_id is None and key is None:
        token = token_file.read_text(encoding="utf-8").strip()
        return (lambda: token), None
    if token_file is None and client_id is not None and key is not None:
        from notify_gateway.cli.sign_in import SignIn

        audience = client.get("/fhir/R4/.well-known/smart-configuration").json().get("token_endpoint")
        signing = SignIn.with_key_file(f"{str(client.base_url).rstrip('/')}/oauth2/token", client_id, key, kid, audience=audience)
        return signing.bearer, signing
    why = "There is one way to sign in, and one only."
    raise CommandFailed("It is not clear who sends", why, "Give --token-file, or --client-id with --key.")


def _give(report: Report, as_json: bool, json_file: Path | None, junit: Path | None) -> None:
    import json

    from notify_gateway.cli.junit import write_junit

    if json_file is not None:
        json_file.write_text(json.dumps(report.document(), indent=1) + "\n", encoding="utf-8")
    if junit is not None:
        write_junit(junit, "notify-gateway conformance", report.junit())
    show(as_json, report.document(), report.rows(), *report.complaints(), report.sentence())
