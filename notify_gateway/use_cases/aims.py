# SPDX-License-Identifier: MIT
"""The service level objectives as operators see them: how each stands, in words and as a part of what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.domain.standing import Level, words_of
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.objectives import Objective, Unit, objectives


@dataclass(frozen=True, slots=True)
class Aim:
    """An objective: what was measured and what is wanted, in words; ``filled`` is from 0 to 100, None where nothing was measured."""

    name: str
    sentence: str
    level: Level
    measured: str
    wanted: str
    filled: int | None


def aims_of(core: Core) -> tuple[Aim, ...]:
    """Return how each objective stands; none where the database does not answer in time."""
    try:
        return tuple(_aim(each) for each in objectives(core))
    except SQLAlchemyError:
        return ()


def _aim(each: Objective) -> Aim:
    level = Level.UNKNOWN if each.met is None else Level.OK if each.met else Level.FAIL
    name = each.name.replace("-", " ").capitalize()
    if each.unit is Unit.SHARE:
        measured = "nothing to measure" if each.measured is None else f"{_percent(each.measured)} of {each.of:,}"
        return Aim(name, each.sentence, level, measured, f"at least {_percent(each.target)}", _part(each.measured))
    measured = "nothing to measure" if each.measured is None else words_of(timedelta(seconds=each.measured))
    part = None if each.measured is None else each.measured / each.target
    return Aim(name, each.sentence, level, measured, f"at most {words_of(timedelta(seconds=each.target))}", _part(part))


def _percent(share: float) -> str:
    # Never rounded up to what was not reached.
    return f"{int(share * 10_000) / 100:g}%"


def _part(share: float | None) -> int | None:
    return None if share is None else max(0, min(100, int(share * 100)))
