# SPDX-License-Identifier: MIT
"""What we and MESH say to each other: how we get in, what a message came to, what may go wrong. Nothing here speaks to anybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

CONTENT_TYPE = "application/json"
CONFIRMATION = "_ACK"
"""A receiver confirms under the workflow that the delivery came with, and this behind it."""
SUBJECT = "notify-gateway delivery"

NEEDS_CHANGE: Final = frozenset(
    {"mesh-not-configured", "mesh-route", "mesh-too-large", "mesh-recipient", "mesh-workflow", "mesh-refused", "mesh-certificate"}
)
"""Codes of attempts that fail again until somebody changes a route, a setting or a registration; all others heal by themselves."""
OF_MESH_ITSELF: Final = frozenset({"mesh-timeout", "mesh-unreachable", "mesh-tls", "mesh-unavailable", "mesh-unauthorised"})
"""Codes of faults that lie with MESH or the way to it, whoever the delivery is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshAccess:
    """How the gateway, or a receiver, gets into its mailbox."""

    url: str
    mailbox: str
    password: str = field(repr=False)
    shared_key: bytes = field(repr=False)
    certificate: Path | None = None
    private_key: Path | None = None
    ca: Path | None = None
    timeout: timedelta = timedelta(seconds=20)
    most_bytes: int = 32 * 1024 * 1024
    chunk_bytes: int = 16 * 1024 * 1024


class MeshFailed(Exception):
    """MESH did not do what was asked; ``code`` says why and nothing says what was asked. ``retry_after`` is in seconds."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        self.code, self.retry_after = code, retry_after
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Tracked:
    """What MESH says of a message that we sent; of several with our id it says nothing more than that."""

    message_id: str | None
    status: str
    code: str | None = None
    recipient: str | None = None
    workflow: str | None = None

    @property
    def collected(self) -> bool:
        """Tell whether the receiver has taken it."""
        return self.status == "acknowledged"

    @property
    def lost(self) -> bool:
        """Tell whether it will never be handed over: refused, not deliverable, or an upload that was broken off."""
        return self.status in ("error", "undeliverable", "uploading")

    @property
    def failure(self) -> str:
        """Return the code of an attempt that ended so."""
        return failure_code(self.code, "mesh-upload-broken-off" if self.status == "uploading" else "mesh-undeliverable")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message in a mailbox; ``body`` is None where it is longer than was asked for or cannot be read."""

    message_id: str
    kind: str
    sender: str
    workflow: str
    linked: str | None
    code: str | None
    body: bytes | None = field(repr=False)


class Mailbox(Protocol):
    """One mailbox, used by one thread. Every call raises ``MeshFailed``."""

    def check(self) -> None:
        """Return when MESH lets us in."""
        ...

    def find(self, local_id: str) -> Tracked | None:
        """Return what was sent under our id, or None when nothing was."""
        ...

    def send(self, recipient: str, workflow: str, local_id: str, document: bytes) -> str:
        """Hand the document over and return the message's id; not to be called twice with the same ``local_id`` without ``find``."""
        ...

    def track(self, message_id: str) -> Tracked | None:
        """Return what became of a message that we sent, or None when MESH knows it no more."""
        ...

    def waiting(self, *, limit: int) -> list[str]:
        """Return the ids of messages that wait for us, oldest first."""
        ...

    def read(self, message_id: str, *, most: int) -> Arrived | None:
        """Return a message that waits for us, with at most ``most`` bytes, or None when it is gone."""
        ...

    def acknowledge(self, message_id: str) -> None:
        """Take the message out of the mailbox, for good."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


OpenMailbox = Callable[[], Mailbox]


def local_id(delivery_id: UUID, given_back: int) -> str:
    """Return our id of a message: the delivery's own; for what is sent again after MESH gave it back, with the number of the message."""
    return f"{delivery_id}.{given_back + 1}" if given_back else str(delivery_id)


def failure_code(code: str | None, otherwise: str) -> str:
    """Return our code for a status code of MESH, which is trusted with no more than letters and digits."""
    if code is not None and 1 <= len(code) <= 8 and code.isascii() and code.isalnum():
        return f"mesh-error-{code.lower()}"
    return otherwise
