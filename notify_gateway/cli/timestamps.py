# SPDX-License-Identifier: MIT
"""Evidence of time: verify, offline, a time stamp (RFC 3161) of one of the log's checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, show

app = typer.Typer(no_args_is_help=True, help="Verify the time stamps of the log's checkpoints, offline.")
MOST_BYTES = 1024 * 1024


@app.command()
def verify(
    checkpoint: Annotated[Path, typer.Option(dir_okay=False, help="The checkpoint, from /log/checkpoint?size=….")],
    token: Annotated[Path, typer.Option(dir_okay=False, help="The time stamp of that checkpoint, from /log/timestamp.")],
    ca: Annotated[Path, typer.Option(dir_okay=False, help="Certificates (PEM) that you trust: the time-stamping authority's root.")],
    as_json: AsJson = False,
) -> None:
    """Verify that a checkpoint existed when its time stamp says. Needs no database, no settings and no network.

    Example: notify-gateway audit timestamp verify --checkpoint checkpoint --token timestamp.tsr --ca tsa-root.pem
    """
    from cryptography.x509 import load_pem_x509_certificates

    from audit.note import NoteRefused
    from audit.timestamp_token import TokenRefused, verify_token

    try:
        authorities = load_pem_x509_certificates(_read(ca))
    except ValueError:
        raise CommandFailed("There is no certificate", f"{ca} holds none in PEM.", "Get the root from the authority itself.") from None
    try:
        proven = verify_token(_read(checkpoint).decode(), _read(token), authorities)
    except (NoteRefused, UnicodeDecodeError) as error:
        why = "It is not a text of UTF-8." if isinstance(error, UnicodeDecodeError) else f"{error}."
        raise CommandFailed("NOT PROVEN: the file is no checkpoint", why, "Fetch it again: /log/checkpoint?size=….") from None
    except TokenRefused as error:
        fix = (
            "Are both files of one size, and is the certificate the authority's own root? openssl ts -verify says more, see docs/audit.md."
        )
        raise CommandFailed("NOT PROVEN: the time stamp does not hold", f"{error}.", fix) from None
    found = proven.checkpoint
    document: Json = {"origin": found.origin, "size": found.size, "root": found.root.hex(), "existed_at": proven.at.isoformat()}
    show(
        as_json,
        document,
        f"Proven: the checkpoint of {found.size} entries of {found.origin} existed on {proven.at:%d %b %Y at %H:%M:%S} UTC, and so did "
        "every entry that it covers, as they are.",
        "Not looked at: who signed the checkpoint. notify-gateway audit verify says that.",
    )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES)
