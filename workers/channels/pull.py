# SPDX-License-Identifier: MIT
"""Pull: the delivery is offered where the authority fetches it; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing


class PullChannel:
    """Offers; no I/O."""

    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        """Return ``offered`` for each delivery."""
        return [AttemptResult(each.delivery_id, each.attempt, AttemptOutcome.OFFERED, "offered") for each in batch]

    async def close(self) -> None:
        """Nothing is held."""
