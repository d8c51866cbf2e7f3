# SPDX-License-Identifier: MIT
"""The receiver that the documentation recommends to authorities on MESH: keep each delivery once, confirm it, then let MESH forget it.

In this order nothing is lost: what is broken off is read again, kept already, and confirmed anew. Only ``mesh-client`` and the standard
library are needed beside ``mesh_mailbox`` and ``mesh_protocol``.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from workers.channels.mesh_protocol import CONFIRMATION, Arrived, Mailbox

LONGEST_DOCUMENT = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one look at the mailbox came to: deliveries now held, and messages that were not for this and stay where they are."""

    held: tuple[UUID, ...]
    left: int


def receive(mailbox: Mailbox, *, gateway: str, workflow: str, folder: Path, limit: int = 100) -> Fetched:
    """Keep what has come from ``gateway``'s mailbox under ``workflow`` as ``<delivery id>.json`` in ``folder``, confirm and acknowledge it.

    A delivery that comes again is confirmed again and kept once. Messages of others, and what is no delivery, stay in the mailbox. Raises
    ``MeshFailed`` and ``OSError``; calling it again then continues.
    """
    held, left = [], 0
    for message_id in mailbox.waiting(limit=limit):
        arrived = mailbox.read(message_id, most=LONGEST_DOCUMENT)
        delivery_id = _delivery_of(arrived, gateway, workflow) if arrived is not None else None
        if arrived is None or arrived.body is None or delivery_id is None:
            left += 1
            continue
        kept = keep_once(folder, delivery_id, arrived.body)
        confirmation = {"delivery_id": str(delivery_id), "received": hashlib.sha256(kept).hexdigest()}
        mailbox.send(gateway, workflow + CONFIRMATION, f"{delivery_id}.ack", json.dumps(confirmation).encode())
        mailbox.acknowledge(message_id)
        held.append(delivery_id)
    return Fetched(tuple(held), left)


def keep_once(folder: Path, delivery_id: UUID, document: bytes) -> bytes:
    """The document has reached the disk under the delivery's id, or the one that was there before has; return that which is held."""
    path = folder / f"{delivery_id}.json"
    if path.exists():
        return path.read_bytes()
    fresh = folder / f".{delivery_id}.{os.getpid()}"
    with fresh.open("wb") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return document


def _delivery_of(arrived: Arrived, gateway: str, workflow: str) -> UUID | None:
    """Return which delivery the message holds, or None when it holds none from there: the workflow is ours to check, MESH may not."""
    if arrived.kind != "DATA" or arrived.sender != gateway or arrived.workflow != workflow:
        return None
    try:
        told = json.loads(arrived.body or b"")
        return UUID(told["delivery_id"]) if told["format"] == "notify-gateway/delivery" else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
