# SPDX-License-Identifier: MIT
"""The workers' outbox on top of the use case of delivering: ids become UUIDs, and time is the gateway's own clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notify_gateway.domain.delivery import AttemptResult, Hint, Outgoing
from notify_gateway.use_cases import deliver
from notify_gateway.use_cases.gateway import Core


@dataclass(frozen=True, slots=True)
class DatabaseOutbox:
    """The deliveries of one service, as ``workers.ports.Outbox`` asks for them."""

    core: Core

    def find_due(self, *, now: datetime, limit: int, batch: int) -> list[Hint]:
        """Return hints at what is due."""
        del now  # the core has the same clock, and every other time in its tables is from there
        return deliver.find_due(self.core, limit=limit, batch=batch)

    def begin(self, ids: Sequence[str], *, owner: str) -> list[Outgoing]:
        """Claim what can be claimed and commit the attempts."""
        return deliver.begin_attempts(self.core, [UUID(each) for each in ids], owner=owner)

    def renew(self, ids: Sequence[str], *, owner: str) -> None:
        """Prolong the owner's leases."""
        deliver.renew_leases(self.core, [UUID(each) for each in ids], owner=owner)

    def finish(self, results: Sequence[AttemptResult], *, owner: str) -> None:
        """Record the results."""
        deliver.finish_attempts(self.core, results, owner=owner)
