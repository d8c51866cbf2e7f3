# SPDX-License-Identifier: MIT
"""The queues: all that waits, for how long, and the workers that hold something now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from notify_gateway.domain.operating import Standing
from notify_gateway.domain.standing import Level, words_of
from notify_gateway.store import overview
from notify_gateway.store.engine import reading
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.overview import LATE, LONG_UNFETCHED, UNFETCHED, VERY_LATE, level_by_age, look


@dataclass(frozen=True, slots=True)
class Queue:
    """One kind of waiting; ``age`` is how long the oldest has waited."""

    name: str
    count: int
    age: timedelta | None
    level: Level
    said: str


@dataclass(frozen=True, slots=True)
class Queues:
    """All that waits, and the workers that hold something."""

    at: datetime
    queues: tuple[Queue, ...]
    workers: tuple[overview.AtWork, ...]


_KINDS = (
    ("To be sent", Standing.WAITING, LATE, VERY_LATE, "Due now or soon; nothing has gone wrong."),
    ("Under way", Standing.UNDER_WAY, LATE, VERY_LATE, "A worker holds them at this moment."),
    ("To be tried again", Standing.FAILING, LATE, VERY_LATE, "The last attempt failed; the next comes by itself."),
    ("Parked", Standing.PARKED, timedelta(0), VERY_LATE, "Tried no more until somebody acts."),
    ("With the authority", Standing.OFFERED, UNFETCHED, LONG_UNFETCHED, "Handed over or laid out; not confirmed yet."),
)


def queues(core: Core) -> Queues:
    """Return all that waits, and who works on it."""
    seen = look(core)
    found = []
    for name, standing, late, very_late, said in _KINDS:
        waits = seen.waits([standing])
        found.append(Queue(name, waits.count, waits.age, level_by_age(waits.age, late, very_late), said))
    age = None if seen.log.oldest is None else timedelta(seconds=max(0.0, seen.log.oldest))
    promise = core.settings.promise_within
    level = Level.FAIL if age is not None and age > promise else Level.OK
    found.append(Queue("To be signed", seen.log.pending, age, level, f"Events that enter the audit log within {words_of(promise)}."))
    with reading(core.engine).begin() as connection:
        workers = tuple(overview.at_work(connection, now=seen.now))
    return Queues(seen.now, tuple(found), workers)
