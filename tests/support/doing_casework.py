# SPDX-License-Identifier: MIT
"""Doing, for real, what operators do for the inboxes: what goes before it is done first, then the act is returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from audit.events import Event
from audit.log import append
from notify_gateway.store import disputes
from notify_gateway.store.tables import audit_tables
from tests.support.acts import Act, World
from tests.support.messages import a_message
from tests.use_cases.conftest import STOCKTON


def _settle(world: World) -> Act:
    accepted, now = world.house.accept(a_message()), world.house.clock.now()
    with world.house.gateway.engine.begin() as connection:
        disputes.begin(connection, accepted.notification_id, times=2, at=now)
        fields: dict[str, str | int] = {"authority": STOCKTON, "times": 2}
        event = Event("case:disputed", at=now, actor=STOCKTON, subject=str(accepted.notification_id), fields=fields)
        append(connection, audit_tables, [event])
    return world.command("operations", "disputes", "settle", accepted.reference)


SETTLING: Mapping[str, Callable[[World], Act]] = {"command operations disputes settle": _settle}
