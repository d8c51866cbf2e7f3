# SPDX-License-Identifier: MIT
"""What the kit asks a deployment before it plays: whether it is one to play against, and with which keys it signs."""

from __future__ import annotations

from typing import Any

import httpx2

from audit.note import NoteRefused, Verifier
from notify_gateway.cli.conformance.system import Keys
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.settings import Deployment


def require_test(client: httpx2.Client) -> str:
    """Return the version of a deployment that is well and says that it is for tests, or a demonstration; else raises ``CommandFailed``."""
    status = _document(client, "/_status")
    if status.get("deployment") not in (Deployment.TEST.value, Deployment.DEMONSTRATION.value):
        why = "It is live." if status.get("deployment") == Deployment.LIVE.value else "It does not say that it is for tests."
        fix = "Play against a test deployment. Nothing was sent, and no option changes this."
        raise CommandFailed("The kit is not for this deployment", why, fix)
    if status.get("status") != "pass":
        raise CommandFailed("The deployment is not well", "Its /_status says so.", "Look at its /_status, and mend what fails.")
    return str(status.get("version", "unknown"))


def keys_of(client: httpx2.Client, *, promises: str | None, log: str | None) -> Keys:
    """Return the keys to verify with: those given, else those that the deployment itself names, which proves less."""
    named = _document(client, "/log/keys")
    try:
        return Keys(*(Verifier.from_vkey(given or str(named.get(name, ""))) for name, given in (("promises", promises), ("log", log))))
    except NoteRefused as error:
        raise CommandFailed("There is no key to verify with", f"{error}.", "Give the verifier keys as the service told you.") from None


def _document(client: httpx2.Client, path: str) -> dict[str, Any]:
    try:
        found = client.get(path).json()
    except (httpx2.HTTPError, ValueError) as error:
        why = f"{client.base_url}: {type(error).__name__}."
        raise CommandFailed("There is no service at that address", why, "Give its base address, such as https://gateway.example.") from None
    return found if isinstance(found, dict) else {}
