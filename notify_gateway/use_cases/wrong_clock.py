# SPDX-License-Identifier: MIT
"""A clock that was ahead and is right again: what it wrote into the outbox would else hold deliveries up for as long as it was wrong."""

from __future__ import annotations

from datetime import timedelta

from notify_gateway.store.wrong_clock import forget_the_future
from notify_gateway.use_cases.gateway import Core

MARGIN = timedelta(minutes=1)
"""Clocks of several machines differ by less."""


def set_right(core: Core) -> int:
    """Make due what waits for an instant later than any pause there is, and return how many deliveries and authorities waited so."""
    now, chosen = core.clock.now(), core.settings
    longest = max(chosen.retry_most, chosen.circuit_most)
    with core.engine.begin() as connection:
        return forget_the_future(connection, now=now, latest_due=now + longest + MARGIN, latest_lease=now + chosen.lease + MARGIN)
