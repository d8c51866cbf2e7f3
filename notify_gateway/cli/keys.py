# SPDX-License-Identifier: MIT
"""The service's own key files: its signing key, the log's key and the roots of all pseudonyms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.output import AsJson, Json, Words, facts, show
from notify_gateway.cli.service import make_data_dir, opened_books, operator, settings

if TYPE_CHECKING:
    from notify_gateway.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Make and show the service's own keys.")


@app.command()
def make(as_json: AsJson = False) -> None:
    """Make those of the service's key files that are not there yet. Existing ones are never touched.

    Keep a copy of the private files offline: without the pseudonym roots no child is recognised again, and without the gateway's key
    nothing more can be sealed.
    """
    from notify_gateway.runtime import make_keys

    chosen = settings()
    make_data_dir(chosen)
    made = make_keys(chosen)
    words = f"Made {', '.join(made)} in {chosen.keys}" if made else f"Nothing was missing in {chosen.keys}"
    public = _public(chosen)
    show(as_json, {"made": made, "folder": str(chosen.keys), **public}, words, *_words(public))


@app.command("show")
def show_keys(as_json: AsJson = False) -> None:
    """Show the public keys with their fingerprints, as others need them to verify. Shows nothing secret."""
    public = _public(settings())
    show(as_json, public, *_words(public))


@app.command()
def sftp(as_json: AsJson = False) -> None:
    """Make, if it is not there, the key with which the service signs in to authorities' SFTP servers, and show its public line.

    Send the line to the authority, who puts it into the authorized_keys of the user that it made for the service. Workers and the scheduler
    need the private file (NOTIFY_GATEWAY_SFTP_KEY_FILE), nobody else.

    Example: notify-gateway keys sftp
    """
    from notify_gateway.privacy.ssh_keys import line_fingerprint, make_ssh_key, public_line

    chosen = settings()
    make_data_dir(chosen)
    made = make_ssh_key(chosen.sftp_key)
    line = public_line(chosen.sftp_key)
    document: Json = {"made": made, "file": str(chosen.sftp_key), "public": line, "fingerprint": line_fingerprint(line)}
    words = facts({"private": f"{chosen.sftp_key}{'  (made now)' if made else ''}", "fingerprint": line_fingerprint(line)})
    show(as_json, document, words, "", "Public key, one line, for the authority:", f"  {line}")


rotate_app = typer.Typer(no_args_is_help=True, help="Let a new key take over; the old one signs beside it for a while.")
retire_app = typer.Typer(no_args_is_help=True, help="End the time in which an old key signs beside a new one.")
app.add_typer(rotate_app, name="rotate")
app.add_typer(retire_app, name="retire")


@rotate_app.command("log")
def rotate_log(as_json: AsJson = False) -> None:
    """Make the log's next key. From the sequencer's next start both sign, so that everybody has time to learn the new one.

    Publish the new verifier key (also at /log/keys, once the gateways have started again), put it into witnesses' and your own policy files
    as a further log line, and end the overlap later with: notify-gateway keys retire log.
    """
    from notify_gateway.use_cases.log_keys import rotate

    with opened_books() as books:
        rotate(books.engine, books.settings.keys, now=books.clock.now(), actor=operator())
    public = _public(settings())
    done = "The log has a new key. Start sequencer and gateways again; until you retire the old key, both sign."
    show(as_json, public, done, *_words(public))


@retire_app.command("log")
def retire_log(as_json: AsJson = False) -> None:
    """Delete the log's old private key. Its public half stays in the published list: receipts that it signed are good for ever."""
    from notify_gateway.use_cases.log_keys import retire

    with opened_books() as books:
        old = retire(books.engine, books.settings.keys, now=books.clock.now(), actor=operator())
    show(as_json, {"retired": old.kid}, f"Key {old.kid} signs no longer, once the sequencer has started again.")


@rotate_app.command("gateway")
def rotate_gateway(as_json: AsJson = False) -> None:
    """Make the gateway's next key and publish it. Once the gateways have started again promises bear both signatures; nothing else changes.

    Give the new key and its fingerprint to every authority, also by another way than /log/keys, and to the opener's machine the file
    gateway.keys.json. When they have it, let it take over: notify-gateway keys retire gateway.

    Example: notify-gateway keys rotate gateway
    """
    from notify_gateway.privacy.keys import fingerprint
    from notify_gateway.use_cases.gateway_keys import rotate

    with opened_books() as books:
        made = rotate(books.engine, books.settings.keys, now=books.clock.now(), actor=operator())
    done = "The gateway has a next key, which signs promises beside the old one once the gateways have started again."
    show(as_json, {"kid": made.kid, "fingerprint": fingerprint(made)}, done, facts({"key id": made.kid, "fingerprint": fingerprint(made)}))


@retire_app.command("gateway")
def retire_gateway(
    reason: Annotated[str, typer.Option(help="Why, as a code of letters, digits and hyphens, such as compromised.")] = "rotated",
    as_json: AsJson = False,
) -> None:
    """Let the gateway's next key take over and delete the old private key. What the old one signed its public half verifies for ever.

    What is still kept under the old key's signature is vouched for by the new one when it is delivered. Start every process again.

    Example: notify-gateway keys retire gateway
    """
    from notify_gateway.use_cases.gateway_keys import retire

    with opened_books() as books:
        old = retire(books.engine, books.settings.keys, now=books.clock.now(), actor=operator(), reason=reason)
    show(as_json, {"retired": old.kid}, f"Key {old.kid} signs no longer, once every process has started again.")


def _public(chosen: Settings) -> dict[str, Json]:
    from audit.note import Verifier
    from notify_gateway.privacy.keys import VerifyingKey, fingerprint, load
    from notify_gateway.runtime import GATEWAY_PUBLIC, LOG_PUBLIC, promise_name

    gateway, log = load(chosen.keys / GATEWAY_PUBLIC, VerifyingKey), load(chosen.keys / LOG_PUBLIC, VerifyingKey)
    return {
        "gateway": {
            "kid": gateway.kid,
            "fingerprint": fingerprint(gateway),
            "verifier": Verifier(promise_name(chosen), gateway.raw).vkey,
        },
        "log": {"kid": log.kid, "fingerprint": fingerprint(log), "verifier": Verifier(chosen.log_origin, log.raw).vkey},
    }


def _words(public: dict[str, Json]) -> list[Words]:
    words: list[Words] = []
    titles = {"gateway": "Gateway: signs sealed headers, webhooks and promises", "log": "Log: signs checkpoints, nothing else"}
    for name, title in titles.items():
        key = public[name]
        assert isinstance(key, dict)
        words += ["", title, facts({"key id": key["kid"], "fingerprint": key["fingerprint"], "verifier key": key["verifier"]})]
    return words
