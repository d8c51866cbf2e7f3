# SPDX-License-Identifier: MIT
"""What the workers need of the rest: the outbox in the database (the truth) behind one small protocol, plugged in at start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from notify_gateway.domain.delivery import AttemptResult, Hint, Outgoing


class Outbox(Protocol):
    """The deliveries in the database. Called from several threads at once; each call is one transaction, or none."""

    def find_due(self, *, now: datetime, limit: int, batch: int) -> list[Hint]:
        """Return what is due and not hinted lately, at most ``limit`` ids in hints of at most ``batch``, and mark it hinted.

        Of each authority no more than its share, the first of all before the second of any; of one that is left in peace a probe at most.
        """
        ...

    def begin(self, ids: Sequence[str], *, owner: str) -> list[Outgoing]:
        """Claim under a lease and commit ``attempted``; what is not claimable, or left in peace, is left out and spends nothing."""
        ...

    def renew(self, ids: Sequence[str], *, owner: str) -> None:
        """Prolong the leases that ``owner`` holds."""
        ...

    def finish(self, results: Sequence[AttemptResult], *, owner: str) -> None:
        """Record the results in one commit and give up the leases; results that ``owner`` has no lease for change nothing.

        What failed is due again, or parked, as the outbox's policy has it.
        """
        ...


OutboxFactory = Callable[[], Outbox]
