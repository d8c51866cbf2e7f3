# SPDX-License-Identifier: MIT
"""The one protocol of all delivery channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from notify_gateway.domain.delivery import AttemptResult, Outgoing


class Channel(Protocol):
    """A way to an authority. Lives on one event loop from its first ``send`` to ``close``."""

    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        """Try each delivery once and return one result for each; a fault of one never harms the rest."""
        ...

    async def close(self) -> None:
        """End what is under way (its results are ``retry``, code ``stopping``) and give back all connections."""
        ...


Channels = Mapping[str, Channel]
