# SPDX-License-Identifier: MIT
"""Doing, for real, what officers take away from the pages of the inbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support.acts import Act, World
from tests.support.doing_inbox import Desk


def _rows(medium: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        desk = Desk(world)
        desk.arrives()
        return desk.sees(f"/inbox/rows.{medium}?tab=to-do&status=received&received_from=2026-11-01")

    return prepare


def _sheet(name: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        desk = Desk(world)
        return desk.sees(f"/notifications/{desk.arrives()}/{name}")

    return prepare


def _pack(name: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        desk = Desk(world)
        return desk.sees(f"/inbox/{name}?case={desk.arrives()}&case={desk.arrives()}")

    return prepare


TAKING_AWAY: Mapping[str, Callable[[World], Act]] = {
    **{f"GET /inbox/rows.{medium}": _rows(medium) for medium in ("csv", "xlsx")},
    **{f"GET /inbox/{name}": _pack(name) for name in ("panel", "panel.pdf")},
    **{
        f"GET /notifications/{{reference}}/{name}": _sheet(name) for name in ("print", "notification.pdf", "parent-copy", "parent-copy.pdf")
    },
}
