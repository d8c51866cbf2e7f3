# SPDX-License-Identifier: MIT
"""Looking at the invariants on a schedule, and keeping what was found: the last hundred runs."""

from __future__ import annotations

import orjson
import structlog
from sqlalchemy import Connection, delete, insert, select

from notify_gateway.store import periodic
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import invariant_findings
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.finding import Finding, Level, Run
from notify_gateway.use_cases.invariants.table import INVARIANTS, check_all

LOG = structlog.get_logger(__name__)

KEPT = 100
WORK = "invariants"


def run(core: Core, *, whole: bool = False) -> Run:
    """Look at every invariant, keep what was found, log what does not hold, and return it."""
    made = check_all(core, whole=whole)
    with core.engine.begin() as connection:
        _keep(connection, made)
    for each in made.broken:
        LOG.error("invariant-broken", name=each.name, level=each.level.value, count=each.count)
    return made


def run_when_due(core: Core) -> Run | None:
    """Look at every invariant if that was last begun longer ago than is set, by whichever process; return None otherwise."""
    with core.engine.begin() as connection:
        if not periodic.begin_when_due(connection, WORK, now=core.clock.now(), every=core.settings.invariants_every):
            return None
    return run(core)


def latest(core: Core) -> Run | None:
    """Return the newest run that was kept, or None before the first."""
    return next(iter(history(core, limit=1)), None)


def history(core: Core, *, limit: int = KEPT) -> list[Run]:
    """Return the newest runs that were kept, newest first."""
    f = invariant_findings.c
    sentences = {each.name: each.sentence for each in INVARIANTS}
    newest = select(f.run_id, f.at).distinct().order_by(f.at.desc(), f.run_id).limit(limit).subquery()
    found = select(invariant_findings).join(newest, newest.c.run_id == f.run_id).order_by(f.at.desc(), f.run_id, f.place)
    runs: dict[object, Run] = {}
    with reading(core.engine).begin() as connection:
        rows = connection.execute(found).all()
    for row in rows:
        sentence = sentences.get(row.name, "This version has no such invariant any more.")
        finding = Finding(row.name, sentence, Level(row.level), row._mapping["count"], tuple(orjson.loads(row.refs)), row.said, row.took_ms)
        before = runs.get(row.run_id)
        runs[row.run_id] = Run(row.run_id, row.at, row.reach, (*(before.findings if before else ()), finding))
    return list(runs.values())


def _keep(connection: Connection, made: Run) -> None:
    f = invariant_findings.c
    rows = [
        {
            "run_id": made.id,
            "name": each.name,
            "place": place,
            "at": made.at,
            "reach": made.reach,
            "level": each.level.value,
            "count": each.count,
            "refs": orjson.dumps(each.references).decode(),
            "said": each.said[:400],
            "took_ms": each.took_ms,
        }
        for place, each in enumerate(made.findings)
    ]
    connection.execute(insert(invariant_findings), rows)
    oldest_kept = connection.scalar(select(f.at).where(f.place == 0).order_by(f.at.desc()).offset(KEPT - 1).limit(1))
    if oldest_kept is not None:
        connection.execute(delete(invariant_findings).where(f.at < oldest_kept))
