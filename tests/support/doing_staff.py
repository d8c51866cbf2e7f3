# SPDX-License-Identifier: MIT
"""Doing, for real, what people do at the entrance and operators by command about members of staff."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from uuid import UUID

from notify_gateway.app import create_app
from notify_gateway.cli.practice.personas import personas, write_providers
from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.staff import Role
from notify_gateway.use_cases.staff_sessions import Visit, look
from tests.support.acts import Act, World
from tests.support.staff import MIDDLESBROUGH, STOCKTON, TRUST, a_member, browser, come_in, practice, sign_in_as

_numbers = count(1)


def _come_in(world: World) -> Act:
    def do() -> None:
        with practice(world.folder, now=lambda: world.house.clock.now().timestamp()) as running:
            settings = world.house.gateway.settings.model_copy(update={"staff_providers": running.file, "base_url": "http://testserver"})
            app = create_app(replace(world.house.runtime, gateway=replace(world.house.gateway, settings=settings)))
            answer = come_in(browser(app), running, "officer")
        assert answer.status_code == 303, answer.text

    return do


def _leave(path: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        cookie = sign_in_as(world.house.gateway, Role.OFFICER)
        visit = look(world.house.gateway, cookie)
        assert isinstance(visit, Visit)
        headers = {"Cookie": f"staff={cookie}", "Origin": "http://testserver"}
        return lambda: world.http.post(path, data={"form_token": visit.form_token}, headers=headers)

    return prepare


def _somebody(world: World) -> UUID:
    return a_member(world.house.gateway, Role.OFFICER, name=f"Somebody {next(_numbers)}").id


def _signed_in(world: World) -> UUID:
    name, now = f"Somebody {next(_numbers)}", replace(world.house.gateway, clock=SystemClock())  # by the clock that a command has
    sign_in_as(now, Role.OFFICER, name=name)
    return a_member(world.house.gateway, Role.OFFICER, name=name).id


def _add(world: World) -> Act:
    file, _ = write_providers(world.folder, "http://127.0.0.1:9", personas(home=STOCKTON, other=MIDDLESBROUGH, trust=TRUST))
    world.set_variable("NOTIFY_GATEWAY_STAFF_PROVIDERS", str(file))
    return world.command("staff", "add", f"oid-{next(_numbers)}", "--provider", "practice", "--organisation", STOCKTON, "--role", "officer")


ENTERING: Mapping[str, Callable[[World], Act]] = {
    "GET /sign-in/callback/{provider_id}": _come_in,
    "POST /sign-out": _leave("/sign-out"),
    "POST /sign-out/everywhere": _leave("/sign-out/everywhere"),
    "command staff add": _add,
    "command staff roles": lambda world: world.command("staff", "roles", _somebody(world), "--role", "manager"),
    "command staff close": lambda world: world.command("staff", "close", _signed_in(world)),
    "command staff sign-out": lambda world: world.command("staff", "sign-out", _signed_in(world)),
}
