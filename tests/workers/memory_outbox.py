# SPDX-License-Identifier: MIT
"""An outbox in memory that keeps the contract of the one in the database: leases, attempts, one hint per pause."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Hint, Outgoing

AUTHORITY = "E06000004"


@dataclass
class Row:
    """One delivery."""

    delivery_id: UUID
    channel: str
    url: str | None
    document: bytes
    attempts: int = 0
    due: float = 0.0
    hinted: float = float("-inf")
    owner: str | None = None
    lease_until: float = 0.0
    state: str = "queued"
    code: str = ""


class MemoryOutbox:
    """Deliveries of one authority, by id; times are monotonic seconds."""

    def __init__(self, *, lease: float = 15.0, rehint_after: float = 3.0, retry_after: float = 0.3) -> None:
        self.rows: dict[str, Row] = {}
        self.renewals = 0
        self.finished: list[AttemptResult] = []
        self.fail_finish = 0
        self._lease, self._rehint_after, self._retry_after = lease, rehint_after, retry_after
        self._lock = threading.Lock()

    def add(self, count: int = 1, *, channel: str = "webhook", url: str | None = None, document: bytes = b'{"sealed":1}') -> list[str]:
        """Queue deliveries and return their ids."""
        with self._lock:
            made = [Row(uuid4(), channel, url, document) for _ in range(count)]
            self.rows.update((str(row.delivery_id), row) for row in made)
            return [str(row.delivery_id) for row in made]

    def open(self) -> int:
        """Count what is still queued."""
        with self._lock:
            return sum(row.state == "queued" for row in self.rows.values())

    def find_due(self, *, now: datetime, limit: int, batch: int) -> list[Hint]:
        present = time.monotonic()
        by_channel: dict[str, list[str]] = defaultdict(list)
        with self._lock:
            due = [
                (key, row)
                for key, row in self.rows.items()
                if row.state == "queued"
                and row.due <= present
                and row.lease_until <= present
                and row.hinted + self._rehint_after <= present
            ][:limit]
            for key, row in due:
                row.hinted = present
                by_channel[row.channel].append(key)
        return [
            Hint(AUTHORITY, channel, tuple(ids[start : start + batch]))
            for channel, ids in by_channel.items()
            for start in range(0, len(ids), batch)
        ]

    def begin(self, ids: Sequence[str], *, owner: str) -> list[Outgoing]:
        present = time.monotonic()
        claimed = []
        with self._lock:
            for key in ids:
                row = self.rows.get(key)
                if row is None or row.state != "queued" or row.due > present or row.lease_until > present:
                    continue
                row.owner, row.lease_until = owner, present + self._lease
                row.attempts += 1
                claimed.append(
                    Outgoing(row.delivery_id, AUTHORITY, row.channel, row.attempts, {"url": row.url} if row.url else {}, row.document)
                )
        return claimed

    def renew(self, ids: Sequence[str], *, owner: str) -> None:
        with self._lock:
            self.renewals += 1
            for key in ids:
                if self.rows[key].owner == owner:
                    self.rows[key].lease_until = time.monotonic() + self._lease

    def finish(self, results: Sequence[AttemptResult], *, owner: str) -> None:
        with self._lock:
            if self.fail_finish:
                self.fail_finish -= 1
                raise ConnectionError("the database is away")
            for result in results:
                row = self.rows[str(result.delivery_id)]
                if row.owner != owner or row.attempts != result.attempt:
                    continue
                self.finished.append(result)
                row.owner, row.lease_until, row.code = None, 0.0, result.code
                if result.outcome is AttemptOutcome.RETRY:
                    row.due = time.monotonic() + (self._retry_after if result.retry_after is None else result.retry_after)
                    row.hinted = float("-inf")
                else:
                    row.state = str(result.outcome)
