# SPDX-License-Identifier: MIT
"""The reconciliation file of a day with very many deliveries: time and memory of the command that makes it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as midnight
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, Table, insert, select, text

from audit.events import micros
from benchmarks.promises import PromiseBroken
from benchmarks.systems import AUTHORITY, COMMAND, TRUST, Place, set_up_alone
from notify_gateway.domain.clock import LONDON, london_day
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.runtime import Runtime, open_sequencer
from notify_gateway.settings import Settings
from notify_gateway.store.engine import reading
from notify_gateway.store.group_commit import commit_group
from notify_gateway.store.parties import find_client
from notify_gateway.store.tables import audit_tables, deliveries, messages, notifications
from notify_gateway.use_cases import prepare
from tests.support.messages import a_message
from tests.support.services import ROOT

LOOK_EVERY = 0.02
EVENTS: Final = ("delivery:queued", "delivery:attempted", "delivery:offered", "delivery:received")


@dataclass(frozen=True)
class Made:
    """One file: its format and bytes, the seconds that the whole command took, and by how much it grew beside that of an empty day."""

    form: str
    deliveries: int
    megabytes: float
    seconds: float
    grew_mb: float


def measure_day(place: Place, count: int) -> list[Made]:
    """Fill a day with ``count`` deliveries, each received, and have the authority's file made in both forms."""
    with set_up_alone(place) as (settings, env):
        runtime = Runtime.open(settings)
        try:
            day = london_day(runtime.gateway.clock.now()) - timedelta(days=1)
            _fill(runtime, settings, day, count)
        finally:
            runtime.close()
        found = []
        for form in ("json", "csv"):
            _, empty = _make(place.folder, env, day - timedelta(days=7), form)
            seconds, peak = _make(place.folder, env, day, form, count)
            size = (place.folder / f"{day}.{form}").stat().st_size
            found.append(Made(form, count, size / 1e6, seconds, (peak - empty) / 1e6))
        return found


def _make(folder: Path, env: Mapping[str, str], day: date, form: str, count: int = 0) -> tuple[float, int]:
    """Return the seconds that the command took, and the most memory that it held, in bytes."""
    path = folder / f"{day}.{form}"
    asked = ("reconcile", "--day", day.isoformat(), "--authority", AUTHORITY, "--out", str(path))
    began = time.perf_counter()
    command = subprocess.Popen([sys.executable, *COMMAND, *asked], cwd=ROOT, env=dict(env), stdout=subprocess.DEVNULL)
    peak, over = 0, threading.Event()
    while command.poll() is None:
        peak = max(peak, _most_held(command.pid))
        over.wait(LOOK_EVERY)
    seconds = time.perf_counter() - began
    if command.returncode:
        raise RuntimeError("the file was not made")
    with path.open("rb") as file:
        rows = sum(b'"reference":' in line or line.startswith(b'"delivery"') for line in file)
    if rows != count:
        raise PromiseBroken(f"{rows} rows of {count}")
    return seconds, peak


def _most_held(pid: int) -> int:
    """Return the most memory that the process has held so far, in bytes; what it was forked from counts for nothing."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _fill(runtime: Runtime, settings: Settings, day: date, count: int) -> None:
    """Have one true notification many times over, spread over the day, each delivery received and all of it under the last checkpoint."""
    gateway = runtime.gateway
    with reading(gateway.engine).begin() as connection:
        client = find_client(connection, kind="trust", code=TRUST)
    assert client is not None
    received = prepare.Received(PrivateBytes(a_message().bytes()), client, uuid4(), uuid4())
    commit_group(gateway.engine, gateway.shred_engine, [prepare.prepare(gateway, received)])
    sequencer = open_sequencer(settings)
    while sequencer.run_once():
        pass
    sequencer.close()
    first = datetime.combine(day, midnight(), LONDON).astimezone(UTC)
    apart = 86_000_000_000 // count
    with gateway.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        leaf = audit_tables.leaf
        before = connection.scalars(select(leaf.c.idx).order_by(leaf.c.idx.desc()).limit(1)).one() + 1
        at = f"timestamptz '{first.isoformat()}' + i * interval '{apart} microseconds'"
        ids = {name: f"md5('{name}' || i)::uuid" for name in ("notification", "message", "delivery")}
        key = "sha256(convert_to('{}' || i, 'UTF8'))".format
        own = {"id": ids["notification"], "reference": "'SEN-' || lpad(i::text, 8, '0') || '-0'", "business_key": key("b")}
        _copy(connection, notifications, own, count)
        own = {"id": ids["message"], "notification_id": ids["notification"], "message_key": key("m"), "accepted_at": at}
        _copy(connection, messages, own | {"request_id": "md5('r' || i)::uuid", "accepted_event": "md5('e' || i)::uuid"}, count)
        own = {"id": ids["delivery"], "notification_id": ids["notification"], "message_id": ids["message"], "attempts": "1"}
        own |= {"state": "'received'", "offered_at": at, "received_at": at, "received_event": f"md5('{EVENTS[-1]}' || i)::uuid"}
        _copy(connection, deliveries, own, count)
        for place, tag in enumerate(EVENTS):
            own = {"idx": f"{before} + (i - 1) * {len(EVENTS)} + {place}", "event_id": f"md5('{tag}' || i)::uuid", "tag": f"'{tag}'"}
            own |= {"leaf_hash": key(tag), "subject": f"({ids['delivery']})::text"}
            _copy(connection, leaf, own | {"created_at": f"{micros(first)} + i * {apart}::bigint + {place}"}, count)
        grown = before + count * len(EVENTS)
        connection.execute(audit_tables.head.update().values(size=grown))
        note = f"{settings.log_origin}\n{grown}\n{'A' * 43}=\n\n"
        signed = {"size": grown, "root": bytes(32), "note": note, "signed_at": micros(gateway.clock.now())}
        connection.execute(insert(audit_tables.checkpoint), [signed])
    with gateway.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _copy(connection: Connection, table: Table, own: Mapping[str, str], count: int) -> None:
    """The table has its first row ``count`` times more; ``own`` are the columns in which they differ, as SQL by the number ``i``."""
    names = [column.name for column in table.c]
    chosen = ", ".join(own.get(name, f'o."{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    one = f'(SELECT * FROM "{table.name}" LIMIT 1) AS o'
    connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({quoted}) SELECT {chosen} FROM {one}, generate_series(1, {count}) AS i')
