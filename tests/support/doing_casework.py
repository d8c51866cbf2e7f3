# SPDX-License-Identifier: MIT
"""Doing, for real, what operators do for the inboxes: what goes before it is done first, then the act is returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import select

from audit.events import Event
from audit.log import append
from notify_gateway.store import disputes
from notify_gateway.store.tables import audit_tables, deliveries, notifications
from tests.support.acts import Act, World
from tests.use_cases.conftest import STOCKTON


def _settle(world: World) -> Act:
    delivery, now = world.queued(), world.house.clock.now()
    of_delivery = select(notifications.c.id, notifications.c.reference).join(deliveries, deliveries.c.notification_id == notifications.c.id)
    with world.house.gateway.engine.begin() as connection:
        notification, reference = connection.execute(of_delivery.where(deliveries.c.id == delivery)).one()
        disputes.begin(connection, notification, times=2, at=now)
        fields: dict[str, str | int] = {"authority": STOCKTON, "times": 2}
        append(connection, audit_tables, [Event("case:disputed", at=now, actor=STOCKTON, subject=str(notification), fields=fields)])
    return world.command("operations", "disputes", "settle", reference)


SETTLING: Mapping[str, Callable[[World], Act]] = {"command operations disputes settle": _settle}
