# SPDX-License-Identifier: MIT
"""The file that remembers erasures outside every database, so that no restored backup can undo them: lines are added, none is changed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from audit.durable import alone_in

VERSION = 1


class TombstonesDamaged(Exception):
    """The file is not what was written to it; the message says where."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The messages of a notification that were erased, and when. Ids alone."""

    notification_id: UUID
    message_ids: tuple[UUID, ...]
    at: datetime


def add(path: Path, tombstone: Tombstone) -> None:
    """The tombstone is on disk when this returns; raises ``OSError`` when it cannot be kept, ``TombstonesDamaged`` for another's file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = json.dumps(
        {
            "v": VERSION,
            "at": tombstone.at.isoformat(),
            "notification": str(tombstone.notification_id),
            "messages": [str(each) for each in tombstone.message_ids],
        }
    )
    with alone_in(path.parent):
        fresh = not path.exists()
        whole = 0 if fresh else sum(len(each) for each in _lines(path))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with open(descriptor, "wb") as file:
            # What a crash left half written was never acted upon.
            file.truncate(whole)
            file.seek(whole)
            file.write(line.encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            _sync_folder(path.parent)


def read(path: Path) -> list[Tombstone]:
    """Return all tombstones, oldest first; none where there is no file yet. Raises ``TombstonesDamaged``, ``OSError``."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(_lines(path), 1):
        try:
            fields = json.loads(line)
            if fields["v"] != VERSION:
                raise ValueError
            messages = tuple(UUID(each) for each in fields["messages"])
            found.append(Tombstone(UUID(fields["notification"]), messages, datetime.fromisoformat(fields["at"])))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TombstonesDamaged(f"line {number} of the file of erasures is not one") from None
    return found


def _lines(path: Path) -> Sequence[bytes]:
    """Return the lines that were written to their end."""
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
