# SPDX-License-Identifier: MIT
"""A sender's system as the kit plays it: its credentials, its patience, and the keys with which it verifies what it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx2

from audit.note import Verifier
from notify_gateway.cli.conformance.case import Who
from notify_gateway.cli.sign_in import SignIn

STRANGER: Final = f"ng_trust_{'0' * 32}"
LONGEST_WAIT, TRIES = 60.0, 5


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys with which promises and receipts are verified."""

    promises: Verifier
    log: Verifier


@dataclass(frozen=True, slots=True)
class System:
    """``bearer`` gives the sender's token; ``sign_in`` is there where the kit signs in with a key."""

    client: httpx2.Client
    bearer: Callable[[], str]
    keys: Keys
    sign_in: SignIn | None = None
    pause: threading.Event = field(default_factory=threading.Event)

    def send(self, method: str, path: str, headers: Mapping[str, str | None], body: bytes | None = None) -> httpx2.Response:
        """Send, and send again where the service says later: that something was asked too fast is no fault of a case."""
        kept = {name: value for name, value in headers.items() if value is not None}
        response = self.client.request(method, path, headers=kept, content=body)
        for _ in range(TRIES):
            if response.status_code not in (429, 503):
                break
            after = response.headers.get("retry-after", "1")
            self.pause.wait(min(float(after) if after.isdigit() else 1.0, LONGEST_WAIT))
            response = self.client.request(method, path, headers=kept, content=body)
        return response

    def credentials(self, who: Who) -> dict[str, str | None]:
        """Return the header with which somebody calls."""
        match who:
            case Who.NOBODY:
                return {}
            case Who.STRANGER:
                return {"Authorization": f"Bearer {STRANGER}"}
            case Who.SENDER:
                return {"Authorization": f"Bearer {self.bearer()}"}
