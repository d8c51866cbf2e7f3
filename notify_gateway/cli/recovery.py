# SPDX-License-Identifier: MIT
"""The authority's side of a drill: the recovery key, on a machine without a network, reads the words that the service sealed to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, show

MOST_BYTES = 64 * 1024


def drill(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The drill's file, as the page of devices gave it.")],
    key: Annotated[Path, typer.Option(metavar="KEYFILE", help="Your recovery key's private file.")],
    gateway_key: Annotated[
        str, typer.Option(metavar="FILE_OR_URL", help="The gateway's public key: its file, or the address of the service's /log/keys.")
    ],
    fingerprint: Annotated[str | None, typer.Option(help="Fingerprint that the gateway's key must have; needed with an address.")] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", help="File whose first line is the passphrase; without it you are asked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that you still have the recovery key: it reads a few words, which you type into the page of devices. It needs no network.

    Example: notify-gateway authority drill drill-recovery-4c1d.json --key stockton-recovery --gateway-key gateway.pub.json
    """
    from notify_gateway.cli.trusted_key import load_private, trusted_gateway_key
    from notify_gateway.privacy.drills import open_drill
    from notify_gateway.privacy.memory import guard_memory

    guard_memory()
    verifying = trusted_gateway_key(gateway_key, fingerprint)
    private = load_private(key, passphrase_file)
    try:
        with file.open("rb") as opened:
            document = json.loads(opened.read(MOST_BYTES + 1))
    except OSError as error:
        raise CommandFailed("The file cannot be read", f"{file}: {error.strerror}.", "Give the file that the page gave you.") from None
    except (ValueError, RecursionError):
        raise CommandFailed("That is no drill", f"{file} is not JSON.", "Save the file of the drill from the page again.") from None
    words = open_drill(document, private, verifying)
    show(as_json, {"words": words, "kid": private.kid}, "The recovery key works. Type these words into the page of devices:", f"  {words}")
