# SPDX-License-Identifier: MIT
"""What an invariant is, and what looking at one comes to: a verdict with a count and up to ten references, never identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, Table, func, select, union_all

from notify_gateway.use_cases.gateway import Core

MOST_REFERENCES = 10
SAMPLE = 2_500
"""Rows on either side of a place drawn at random that a short look takes in: the whole of a small table, a part of a large one."""
WITHIN = timedelta(seconds=10)
"""What one statement of a check may take."""
RUNBOOK = "docs/operators.md#what-is-checked-by-itself"


class Level(StrEnum):
    """What a check came to. What could not be looked at is unknown, and never counts as well."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: how many break the invariant, up to ten of them by reference or id, and in words what was seen."""

    name: str
    sentence: str
    level: Level
    count: int
    references: tuple[str, ...]
    said: str
    took_ms: int = 0

    @property
    def runbook(self) -> str:
        """Return where it is written what to do."""
        return RUNBOOK


class Invariant(Protocol):
    """Something that is true of the service at any moment."""

    name: str
    sentence: str

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look whether it holds: in a bounded sample, or with ``whole`` everywhere. Changes nothing; raises ``SQLAlchemyError``."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One look at every invariant; ``reach`` is ``sample`` or ``whole``."""

    id: UUID
    at: datetime
    reach: str
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """Return the worst of what was found."""
        worst = (Level.FAIL, Level.UNKNOWN, Level.WARN, Level.OK)
        return min((each.level for each in self.findings), key=worst.index, default=Level.UNKNOWN)

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Return what does not hold, or could not be looked at."""
        return tuple(each for each in self.findings if each.level in (Level.FAIL, Level.UNKNOWN))


def sampled(table: Table, *, whole: bool) -> ColumnElement[bool]:
    """Return the condition that takes in all rows, or those on either side of an id drawn at random, by the primary key alone."""
    key = table.c.id
    if whole:
        return key.is_not(None)
    start = uuid4()
    behind = select(key).where(key >= start).order_by(key).limit(SAMPLE).subquery()
    before = select(key).where(key < start).order_by(key.desc()).limit(SAMPLE).subquery()
    return key.in_(union_all(select(behind.c.id), select(before.c.id)))


def judge(
    invariant: Invariant,
    connection: Connection,
    broken: Select[Any] | CompoundSelect[Any],
    said: str,
    *,
    otherwise: str = "",
    level: Level = Level.FAIL,
) -> Finding:
    """Return the finding of a statement that selects one reference for each breach: ``said`` where it selects none."""
    count = connection.scalar(select(func.count()).select_from(broken.subquery())) or 0
    if not count:
        return Finding(invariant.name, invariant.sentence, Level.OK, 0, (), said)
    references = tuple(str(row[0]) for row in connection.execute(broken.limit(MOST_REFERENCES)))
    return Finding(invariant.name, invariant.sentence, level, count, references, otherwise or said)
