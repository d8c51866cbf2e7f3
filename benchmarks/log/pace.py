# SPDX-License-Identifier: MIT
"""From pending to signed: how long an entry that was committed waits for the checkpoint that covers it, and what the sequencer costs."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from uuid import UUID

from sqlalchemy import Engine, select

from audit.log import append
from benchmarks.cpu import Meter
from benchmarks.log.tables import METADATA, TABLES, event
from benchmarks.systems import Place
from notify_gateway.store.engine import open_engine
from tests.support.services import Process, eventually

WRITERS = 4
IDLE = 5.0


@dataclass(frozen=True)
class Pace:
    """Under one load: entries a second, milliseconds from commit to signature, and CPU as a share of one core."""

    load: str
    entries_per_s: float
    p50_ms: float
    p99_ms: float
    sequencer_cpu: float
    postgres_cpu: float


def measure_pace(place: Place, seconds: float) -> list[Pace]:
    """Return the pace while four writers append as fast as they can, at a steady rate, and the cost of a log at rest."""
    return [
        _under(place, "as fast as four writers can", None, seconds),
        _under(place, "200 entries a second", 200, seconds),
        _under(place, "ten entries a second", 10, seconds),
        _at_rest(place),
    ]


def _under(place: Place, load: str, rate: float | None, seconds: float) -> Pace:
    with place.postgres.database() as url:
        engine = open_engine(url)
        METADATA.create_all(engine)
        sequencer = _start(url, place.folder)
        _write(engine, 20.0, 1.0)
        meter = Meter({"sequencer": [sequencer.pid], "postgres": [place.postgres.process.pid]})
        committed = _write(engine, rate, seconds)
        used = meter.used()
        eventually(lambda: _signed(sequencer)[-1][0] >= _count(engine), within=60, what="a checkpoint over all entries")
        sequencer.stop()
        waits = _waits(engine, committed, _signed(sequencer))
        engine.dispose()
    cuts = quantiles(waits, n=100, method="inclusive")
    return Pace(load, len(waits) / seconds, 1000 * cuts[49], 1000 * cuts[98], used["sequencer"] / seconds, used["postgres"] / seconds)


def _at_rest(place: Place) -> Pace:
    with place.postgres.database() as url:
        engine = open_engine(url)
        METADATA.create_all(engine)
        sequencer = _start(url, place.folder)
        _write(engine, 20.0, 0.5)
        threading.Event().wait(1.0)
        meter = Meter({"sequencer": [sequencer.pid], "postgres": [place.postgres.process.pid]})
        threading.Event().wait(IDLE)
        used = meter.used()
        sequencer.stop()
        engine.dispose()
    return Pace("at rest", 0.0, 0.0, 0.0, used["sequencer"] / IDLE, used["postgres"] / IDLE)


def _start(url: str, folder: Path) -> Process:
    own = Path(tempfile.mkdtemp(dir=folder))
    log, guard = own / "sequencer.log", own / "guard"
    command = [sys.executable, "-m", "benchmarks.log.sequencer", url, str(guard)]
    return Process(command, name="sequencer", log=log).start()


def _write(engine: Engine, rate: float | None, seconds: float) -> dict[UUID, float]:
    """Append, one entry in each transaction; return when each was committed, on the machine's monotonic clock."""
    until, committed, failures = time.monotonic() + seconds, dict[UUID, float](), list[BaseException]()

    def write(number: int) -> None:
        pause, count = threading.Event(), 0
        due = time.monotonic() + (number / rate if rate else 0)
        try:
            while time.monotonic() < until:
                if rate:
                    pause.wait(max(0.0, due - time.monotonic()))
                    due += WRITERS / rate
                with engine.begin() as connection:
                    (made,) = append(connection, TABLES, [event(number + WRITERS * count)])
                committed[made.event_id] = time.monotonic()
                count += 1
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    if failures:
        raise failures[0]
    return committed


def _signed(sequencer: Process) -> list[tuple[int, float]]:
    lines = [line.split() for line in sequencer.output.splitlines()]
    return [(int(line[0]), float(line[1])) for line in lines if len(line) == 2 and line[0].isdigit()] or [(0, 0.0)]


def _count(engine: Engine) -> int:
    with engine.begin() as connection:
        return len(connection.execute(select(TABLES.pending.c.arrival)).all()) + len(connection.execute(select(TABLES.leaf.c.idx)).all())


def _waits(engine: Engine, committed: dict[UUID, float], signed: Sequence[tuple[int, float]]) -> list[float]:
    with engine.begin() as connection:
        places = {row.event_id: row.idx for row in connection.execute(select(TABLES.leaf.c.event_id, TABLES.leaf.c.idx))}
    sizes = [size for size, _ in signed]
    # The first checkpoint over an entry is the first whose size is more than its index.
    return [max(0.0, signed[bisect_right(sizes, places[event_id])][1] - at) for event_id, at in committed.items()]
