# SPDX-License-Identifier: MIT
"""Every route, task and command has its class; each that discloses or changes is done for real, and must be in the log afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from fastapi.routing import iter_route_contexts

from audit.log import prepare_leaf
from audit.vocabulary import VOCABULARY, Klass
from notify_gateway.api.classes import ACTS, NO_ACT
from notify_gateway.cli.main import app as command
from notify_gateway.use_cases import collect, feedback
from tests.cli.conftest import Call, call, folder  # noqa: F401 - fixtures
from tests.support.acts import World
from tests.support.doing import ALONE, DOING
from tests.support.templates import Templates

RECORDED = sorted(name for name, act in ACTS.items() if act.klass in (Klass.DISCLOSE, Klass.CHANGE))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[World]:
    with World.opened(tmp_path_factory.mktemp("acts"), templates) as made:
        yield made


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, child in getattr(group, "commands", {}).items():
        if hasattr(child, "commands"):
            yield from commands(child, (*path, name))
        else:
            yield " ".join((*path, name))


def require_recorded(world: World, name: str, do: Callable[[], object]) -> None:
    """Do the act; raises ``AssertionError`` unless each event that its row names is in the log afterwards and was not before."""
    before = world.recorded()
    do()
    new = [event for key, event in world.recorded().items() if key not in before]
    missing = set(ACTS[name].events) - {event.tag for event in new}
    assert not missing, f"{name} left no event of {', '.join(sorted(missing))}"


def test_every_route_has_a_class(world: World) -> None:
    routes = {
        f"{method} {re.sub(':path', '', route.path or '')}"
        for route in iter_route_contexts(world.app.routes)
        for method in route.methods or ()
    }
    assert routes == {name for name in ACTS if not name.startswith(("task ", "command "))}


def test_every_task_has_a_class(world: World) -> None:
    tasks = {f"task {name}" for name in world.celery.tasks if not name.startswith("celery.")}
    assert tasks == {name for name in ACTS if name.startswith("task ")}


def test_every_command_has_a_class_or_a_reason_to_have_none() -> None:
    classed = {name.removeprefix("command ") for name in ACTS if name.startswith("command ")}
    assert not classed & set(NO_ACT)
    assert set(commands(typer.main.get_command(command))) == classed | set(NO_ACT)


def test_what_discloses_or_changes_names_its_events_and_each_is_tried() -> None:
    assert set(DOING) == set(RECORDED)
    for name, act in ACTS.items():
        assert bool(act.events) == (name in RECORDED), name
        assert set(act.events) <= set(VOCABULARY), name
        if act.klass is Klass.DISCLOSE:
            assert Klass.DISCLOSE in {VOCABULARY[tag].klass for tag in act.events}, name


@pytest.fixture
def of_its_own(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[World]:
    with World.opened(tmp_path_factory.mktemp("alone"), templates) as made:
        yield made


@pytest.mark.parametrize("name", RECORDED)
def test_what_discloses_or_changes_is_in_the_log_afterwards(
    name: str,
    request: pytest.FixtureRequest,
    call: Call,  # noqa: F811
    folder: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world: World = request.getfixturevalue("of_its_own" if name in ALONE else "world")
    world.call, world.folder, world.set_variable = call, folder, monkeypatch.setenv
    require_recorded(world, name, DOING[name](world))


@pytest.mark.parametrize(
    ("name", "room"),
    [("POST /authority/v1/deliveries/{delivery_id}/contacted", feedback), ("GET /authority/v1/deliveries/{delivery_id}", collect)],
    ids=["change", "disclose"],
)
def test_an_act_that_forgets_its_event_fails_this_test(name: str, room: object, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    do = DOING[name](world)
    monkeypatch.setattr(room, "append", lambda _connection, _tables, events: [prepare_leaf(event) for event in events])
    with pytest.raises(AssertionError, match="left no event"):
        require_recorded(world, name, do)
