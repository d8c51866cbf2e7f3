# SPDX-License-Identifier: MIT
"""A log for measuring: its tables, its name and a key that is good for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import MetaData

from audit.events import Event
from audit.note import Signer
from audit.tables import define

ORIGIN = "bench.example/log"
SIGNER = Signer.from_seed(ORIGIN, b"a key for benchmarks, not a log!")
METADATA = MetaData()
TABLES = define(METADATA)
START = datetime(2026, 9, 1, 9, tzinfo=UTC)


def event(number: int) -> Event:
    """Return an entry such as most are: what was delivered, to whom."""
    fields: dict[str, str | int] = {"authority": "E06000004", "attempt": 1, "notification": f"00000000-0000-4000-8000-{number:012}"}
    subject = f"00000000-0000-4000-9000-{number:012}"
    return Event("delivery:attempted", START + timedelta(milliseconds=number), "worker:1", subject, fields)
