# SPDX-License-Identifier: MIT
"""One row of the fault table under way: what is held back until the fault strikes, what is posted while it lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.domain.operating import DowntimeReason
from notify_gateway.use_cases.downtime import end_downtime, plan_downtime
from tests.faults.storm import Storm, left
from tests.support.service import PULL, WEBHOOK
from tests.support.services import eventually

if TYPE_CHECKING:
    from tests.faults.stand import Stand
    from tests.faults.table import Row

SEED = 5
AUTHORITIES = (PULL, *[WEBHOOK] * 9)
"""Most goes to the one with the webhook, for there what is on the wire can be held."""
UNDER_WAY = 10
"""Deliveries that a worker has in hand at the strike, at least, where it is to have some."""
UNDELIVERED = ("queued", "offered")
"""States of what no authority has said that it holds."""


class Trial(Storm):
    """``count`` notifications, and an eighth more, are accepted and held back by a planned downtime; three eighths are posted after.

    So at least ``count`` are in flight when the fault strikes: accepted and not delivered, or being posted. ``in_flight`` is how many.
    """

    def __init__(self, stand: Stand, row: Row, *, count: int, seconds: float) -> None:
        held, after = count + count // 8, count * 3 // 8
        super().__init__(stand.service, {}, seed=SEED, count=held + after, seconds=seconds, at_once=held, authorities=AUTHORITIES)
        self.stand, self.row, self.count = stand, row, count
        self.tool = row.tool
        self.in_flight = 0
        self.injected_until = 0.0
        self._held_back: list[UUID] = []

    def run(self) -> None:
        """Hold the deliveries back, then run as every storm does."""
        gateway, now = self.service.gateway, self.service.gateway.clock.now()
        # Wide enough for parts whose clock is wrong by an hour.
        span = {"starts_at": now - timedelta(hours=2), "ends_at": now + timedelta(hours=6)}
        for authority in (PULL, WEBHOOK):
            planned = plan_downtime(gateway, authority=authority, **span, reason=DowntimeReason.MAINTENANCE, actor="operator")
            self._held_back.append(planned.id)
        try:
            super().run()
        finally:
            self.let_go()

    def collect(self) -> None:
        """Fetch what waits for the authorities that come for it."""
        self.stand.collect()

    @property
    def answered(self) -> int:
        """How many have been accepted so far."""
        return sum(sent.task_id is not None for sent in self.sent)

    def wait_answered(self, share: float, within: float = 60.0) -> None:
        """Return when that share of what is posted after the strike has been accepted, and all before it."""
        wanted = self.at_once + share * (len(self.sent) - self.at_once)
        eventually(lambda: self.answered >= wanted, within=within, every=0.02, what=f"{wanted:.0f} accepted")

    def wait_delivered(self, share: float, within: float = 60.0) -> None:
        """Return when that share of all has left the service."""

        def enough() -> bool:
            return sum(map(left, self.standing().values())) >= share * len(self.sent)

        eventually(enough, within=within, every=0.1, what=f"{share:.0%} delivered")

    def hurry(self) -> None:
        """Post what is left as fast as it goes."""
        self._calm.set()

    # The strike

    def strikes(self) -> None:
        """It is now that the fault strikes: what is in flight is counted, the first time, and what is still held back is let go."""
        if not self.in_flight:
            standing = self.standing()
            begun = [standing.get(sent.task_id) for sent in self.sent if sent.tries]
            self.in_flight = sum(row is None or row.state in UNDELIVERED for row in begun)
        self.let_go()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Strike within the block: workers have deliveries on the wire, and the receiver has kept them and not answered yet."""
        receiver = self.stand.receiver
        receiver.held, receiver.holding = 0, True
        try:
            self.let_go()
            eventually(lambda: receiver.held >= UNDER_WAY, within=30, every=0.01, what="deliveries kept and not answered")
            self.strikes()
            yield
        finally:
            receiver.holding = False

    def let_go(self) -> None:
        """Nothing is held back any more."""

        def end() -> bool:
            while self._held_back:
                end_downtime(self.service.gateway, downtime_id=self._held_back[-1], actor="operator")
                self._held_back.pop()
            return True

        eventually(end, within=60, every=0.2, what="what was held back let go", tolerating=(SQLAlchemyError,))

    def _strike(self) -> None:
        eventually(lambda: all(sent.task_id for sent in self.sent[: self.at_once]), within=120, what="those before the strike accepted")
        try:
            self.tool = self.row.inject(self.stand, self) or self.row.tool
        finally:
            self.injected_until = time.monotonic()
            self.let_go()
