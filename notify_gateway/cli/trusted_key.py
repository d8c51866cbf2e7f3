# SPDX-License-Identifier: MIT
"""The keys that an authority opens with: its own private key, and the gateway's public key from a file or an address."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import tell, warning
from notify_gateway.privacy.keys import (
    PROTECTED_FORMAT,
    RecipientPrivateKey,
    SigningPurpose,
    VerifyingKey,
    fingerprint,
    load,
    spoken,
)

MOST_BYTES = 64 * 1024


def load_private(path: Path, passphrase_file: Path | None) -> RecipientPrivateKey:
    """Return the private key; asks for its passphrase if it has one. Raises ``KeyFileError``."""
    words = None
    if passphrase_file is not None:
        words = passphrase_in(passphrase_file)
    elif _is_protected(path):
        words = str(typer.prompt("Passphrase", hide_input=True, err=True))
    return load(path, RecipientPrivateKey, passphrase=words)


def passphrase_in(file: Path) -> str:
    """Return the first line of a file."""
    return file.read_text("utf-8").partition("\n")[0].rstrip("\r")


def trusted_gateway_key(place: str, expected: str | None) -> VerifyingKey:
    """Return the gateway's public key; raises ``CommandFailed`` unless it is one and has the ``expected`` fingerprint, where one is given.

    A key that was only fetched proves nothing: without an expected fingerprint its own is shown, to be compared.
    """
    fetched = place.startswith(("https://", "http://"))
    keys = _fetch(place) if fetched else _read(Path(place))
    key = next((each for each in keys if expected is not None and spoken(expected) == spoken(fingerprint(each))), keys[0])
    found = fingerprint(key)
    if expected is not None and spoken(expected) != spoken(found):
        raise CommandFailed(
            "The gateway's key is another one",
            f"Its fingerprint is {found}.",
            "Open nothing. Ask the service, on a number that you knew before, for the fingerprint of its key.",
        )
    if fetched and expected is None:
        tell(warning(f"Compare with what the service told you, then pass it as --fingerprint: '{found}'"))
    return key


def _is_protected(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fields = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return False  # loading it says better what is wrong with it
    return isinstance(fields, dict) and fields.get("format") == PROTECTED_FORMAT


def _read(path: Path) -> list[VerifyingKey]:
    try:
        fields = json.loads(path.read_bytes()[:MOST_BYTES])
    except (ValueError, RecursionError):
        fields = None
    if isinstance(fields, dict) and "gateway" in fields:
        return _of_log_keys(fields)
    return [load(path, VerifyingKey)]


def _fetch(url: str) -> list[VerifyingKey]:
    import httpx2

    address = url if url.rstrip("/").endswith("/log/keys") else f"{url.rstrip('/')}/log/keys"
    try:
        answer = httpx2.get(address, timeout=10.0, follow_redirects=False)
        fields = answer.json() if answer.status_code == 200 and len(answer.content) <= MOST_BYTES else None
    except (httpx2.HTTPError, ValueError) as error:
        why = f"{address}: {type(error).__name__}."
        raise CommandFailed("The gateway's key cannot be fetched", why, "Check the address, or give the key as a file.") from None
    return _of_log_keys(fields)


def _of_log_keys(fields: Any) -> list[VerifyingKey]:
    """Return the gateway's keys, the one that signs now first."""
    try:
        listed = [fields["gateway"], *fields.get("gateway_keys", [])]
        return [VerifyingKey(each["kid"], SigningPurpose.GATEWAY, b64decode(each["ed25519"], validate=True)) for each in listed]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CommandFailed(
            "That is no gateway's key", "It does not have the form of /log/keys.", "Give the service's address, or its gateway.pub.json."
        ) from None
