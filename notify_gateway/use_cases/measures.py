# SPDX-License-Identifier: MIT
"""Gauges of the whole service, read from the database when they are asked for: what waits, circuits, alerts, log and invariants."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from audit.reading import latest_signed, oldest_pending_age
from notify_gateway.store import overview
from notify_gateway.store.expressions import standing_still
from notify_gateway.store.tables import alert_addresses, audit_tables, circuits
from notify_gateway.telemetry.metrics import PREFIX
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants import runs

READ_EVERY = 10.0
"""Seconds for which what was read is shown again, so that scraping often costs the database nothing more."""
WITHIN = timedelta(seconds=5)
"""What one statement may take."""

Values: TypeAlias = Mapping[tuple[str, ...], float]
"""Values by the labels of their series."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One gauge: what it shows, and the labels of its series."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


UP: Final = Gauge(f"{PREFIX}_database_up", "1 if the database answered the last look, else 0; the gauges below are only shown with 1.")
OPEN: Final = Gauge(
    f"{PREFIX}_deliveries_open",
    "Open deliveries by authority (GSS code), channel and standing: waiting, under-way, failing, parked, offered.",
    ("authority", "channel", "standing"),
)
OLDEST: Final = Gauge(f"{PREFIX}_deliveries_oldest_seconds", "Age of the oldest message among them.", ("authority", "channel", "standing"))
CIRCUIT: Final = Gauge(f"{PREFIX}_circuit_open", "1 for each authority that gets single probes only; no series for others.", ("authority",))
ALERTS: Final = Gauge(f"{PREFIX}_alert_addresses_failing", "Addresses at which the last alert did not get through, by kind.", ("kind",))
PENDING: Final = Gauge(f"{PREFIX}_log_pending_entries", "Events that wait for their place in the log.")
PENDING_AGE: Final = Gauge(f"{PREFIX}_log_pending_seconds", "How long the oldest of them has waited; 0 when none does.")
CHECKPOINT_AGE: Final = Gauge(f"{PREFIX}_log_checkpoint_age_seconds", "Age of the newest signed checkpoint.")
LOG_SIZE: Final = Gauge(f"{PREFIX}_log_entries", "Entries under the newest signed checkpoint.")
INVARIANTS_OK: Final = Gauge(f"{PREFIX}_invariants_ok", "1 if every invariant held at the last look; 0 too if one could not be looked at.")
INVARIANTS_AGE: Final = Gauge(f"{PREFIX}_invariants_age_seconds", "How long ago that look was.")

GAUGES: Final = (UP, OPEN, OLDEST, CIRCUIT, ALERTS, PENDING, PENDING_AGE, CHECKPOINT_AGE, LOG_SIZE, INVARIANTS_OK, INVARIANTS_AGE)


class Measures(Collector):
    """Reads all gauges at most every ``READ_EVERY`` seconds, by whoever asks first; nobody waits for a look of somebody else's."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._reading = threading.Lock()
        self._held: dict[Gauge, Values] = {}
        self._read_at: float | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges that have values; raises nothing when the database is away."""
        self._refresh()
        for gauge, values in self._held.items():
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family

    def _refresh(self) -> None:
        if self._read_at is not None and time.monotonic() - self._read_at < READ_EVERY:
            return
        if not self._reading.acquire(blocking=False):
            return
        try:
            self._held = read(self._core)
        except SQLAlchemyError:
            self._held = {UP: {(): 0.0}}
        finally:
            self._read_at = time.monotonic()
            self._reading.release()


def read(core: Core) -> dict[Gauge, Values]:
    """Return all gauges as they stand now; raises ``SQLAlchemyError`` when the database does not answer in time."""
    now = core.clock.now()
    with standing_still(core.engine, within=WITHIN) as connection:
        found: dict[Gauge, Values] = {UP: {(): 1.0}, **_waiting(connection, now), **_troubles(connection), **_log(connection, now)}
    last = runs.latest(core)
    if last is not None:
        found[INVARIANTS_OK] = {(): float(not last.broken)}
        found[INVARIANTS_AGE] = {(): _seconds(now, last.at)}
    return found


def _waiting(connection: Connection, now: datetime) -> dict[Gauge, Values]:
    seen = {(each.authority, each.channel, each.standing.value): each for each in overview.waiting(connection, now=now)}
    return {
        OPEN: {labels: float(each.count) for labels, each in seen.items()},
        OLDEST: {labels: _seconds(now, each.oldest) for labels, each in seen.items()},
    }


def _troubles(connection: Connection) -> dict[Gauge, Values]:
    c, a = circuits.c, alert_addresses.c
    resting = connection.scalars(select(c.authority).where(c.opened_at.is_not(None)))
    failing = connection.execute(select(a.kind, func.count()).where(a.removed_at.is_(None), a.last_code.is_not(None)).group_by(a.kind))
    return {CIRCUIT: {(authority,): 1.0 for authority in resting}, ALERTS: {(kind,): float(count) for kind, count in failing}}


def _log(connection: Connection, now: datetime) -> dict[Gauge, Values]:
    pending = connection.scalar(select(func.count()).select_from(audit_tables.pending)) or 0
    age = oldest_pending_age(connection, audit_tables, now)
    found: dict[Gauge, Values] = {PENDING: {(): float(pending)}, PENDING_AGE: {(): max(0.0, age or 0.0)}}
    signed = latest_signed(connection, audit_tables)
    if signed is not None:
        found[CHECKPOINT_AGE] = {(): _seconds(now, datetime.fromtimestamp(signed.signed_at / 1e6, UTC))}
        found[LOG_SIZE] = {(): float(signed.size)}
    return found


def _seconds(now: datetime, then: datetime) -> float:
    return max(0.0, (now - then).total_seconds())
