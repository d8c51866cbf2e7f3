# SPDX-License-Identifier: MIT
"""What a clock that was ahead has left in the outbox: instants that no right clock would have written for any delivery."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from notify_gateway.store.tables import circuits, deliveries


def forget_the_future(connection: Connection, *, now: datetime, latest_due: datetime, latest_lease: datetime) -> int:
    """What is due, leased, hinted or rests later than can be is so no longer; return how many deliveries and authorities that were.

    A lease that is cut short while its worker lives costs a second POST under the same id at most.
    """
    d = deliveries.c
    queued = (d.state == "queued", d.parked_at.is_(None))
    found = 0
    for wrong, right in (
        (d.due_at > latest_due, {"due_at": now}),
        (d.lease_until > latest_lease, {"lease_until": now}),
        (d.hinted_at > now, {"hinted_at": None}),
    ):
        found += connection.execute(update(deliveries).where(*queued, wrong).values(right)).rowcount
    resting = update(circuits).where(circuits.c.paused_until > latest_due)
    return found + connection.execute(resting.values(paused_until=now)).rowcount
