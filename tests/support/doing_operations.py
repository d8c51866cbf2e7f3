# SPDX-License-Identifier: MIT
"""Doing, for real, what operators do on their pages and by command: what goes before it is done first, then the act is returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from notify_gateway.domain.operating import DowntimeReason, ParkReason
from notify_gateway.use_cases import downtime, operate, operators
from tests.support.acts import Act, World
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON


def _sign_operator_in(world: World) -> Act:
    token = operators.issue_token(world.house.gateway, name="robin", lasts=timedelta(hours=1), may_act=False, actor="test").text
    return lambda: world.http.post("/ops/sign-in", data={"token": token}, headers={"Origin": "http://testserver"})


def _operate(path: str, **fields: str) -> Callable[[World], Act]:
    return lambda world: world.operate(path, **fields)


def _on_the_page(path: str, **fields: str) -> Callable[[World], Act]:
    return lambda world: world.operate(path, id=str(world.queued()), **fields)


def _retry_on_the_page(world: World) -> Act:
    delivery = world.queued()
    operate.park(world.house.gateway, delivery_id=delivery, reason=ParkReason.UNDER_INQUIRY, actor="test")
    return world.operate("/ops/failed/retry", id=str(delivery), reason="fault-mended")


def _plan_on_the_page(world: World) -> Act:
    span = {"starts_at": "2026-11-21T20:00", "ends_at": "2026-11-21T23:00"}
    return world.operate("/ops/deliveries/downtime", authority=MIDDLESBROUGH, reason="upgrade", **span)


def _planned(world: World) -> UUID:
    now = world.house.clock.now() + timedelta(days=3650)
    span = {"starts_at": now, "ends_at": now + timedelta(hours=2)}
    reason = DowntimeReason.UPGRADE
    return downtime.plan_downtime(world.house.gateway, authority=MIDDLESBROUGH, **span, reason=reason, actor="test").id


def _end_on_the_page(world: World) -> Act:
    return world.operate("/ops/deliveries/downtime/end", id=str(_planned(world)))


def _retry_by_command(world: World) -> Act:
    delivery = world.queued()
    operate.park(world.house.gateway, delivery_id=delivery, reason=ParkReason.UNDER_INQUIRY, actor="test")
    return world.command("operations", "retry", "--delivery", delivery, "--reason", "fault-mended", "--yes")


def _plan_by_command(world: World) -> Act:
    span = ("--from", "2096-11-21T20:00", "--until", "2096-11-21T23:00")
    return world.command("operations", "downtime", "plan", MIDDLESBROUGH, *span, "--reason", "upgrade")


def _revoke_operator(world: World) -> Act:
    token = operators.issue_token(world.house.gateway, name="casey", lasts=timedelta(hours=1), may_act=True, actor="test")
    return world.command("operators", "revoke", token.id)


def _commanded(*arguments: object) -> Callable[[World], Act]:
    return lambda world: world.command(*arguments)


OPERATING: Mapping[str, Callable[[World], Act]] = {
    "POST /ops/sign-in": _sign_operator_in,
    "POST /ops/sign-out": _operate("/ops/sign-out"),
    "POST /ops/failed/retry": _retry_on_the_page,
    "POST /ops/failed/park": _on_the_page("/ops/failed/park", reason="under-inquiry"),
    "POST /ops/failed/give-up": _on_the_page("/ops/failed/give-up", reason="damaged", sure="yes"),
    "POST /ops/deliveries/test": _operate("/ops/deliveries/test", authority=MIDDLESBROUGH),
    "command operations test": _commanded("operations", "test", STOCKTON),
    "POST /ops/deliveries/downtime": _plan_on_the_page,
    "POST /ops/deliveries/downtime/end": _end_on_the_page,
    "command operations retry": _retry_by_command,
    "command operations park": lambda world: world.command("operations", "park", world.queued(), "--reason", "under-inquiry"),
    "command operations give-up": lambda world: world.command("operations", "give-up", world.queued(), "--reason", "damaged", "--yes"),
    "command operations downtime plan": _plan_by_command,
    "command operations downtime end": lambda world: world.command("operations", "downtime", "end", _planned(world)),
    "command operators token": _commanded("operators", "token", "alex", "--lasts", "30m"),
    "command operators revoke": _revoke_operator,
}
