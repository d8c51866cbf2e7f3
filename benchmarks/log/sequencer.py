# SPDX-License-Identifier: MIT
"""The sequencer in a process of its own, which tells when it has signed what: ``python -m benchmarks.log.sequencer URL GUARD``."""

from __future__ import annotations

import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from audit.log import Sequencer
from benchmarks.log.tables import ORIGIN, SIGNER, TABLES
from notify_gateway.store.engine import open_engine


class Telling(Sequencer):
    """Prints, after each commit of a checkpoint, its size and the instant on the machine's monotonic clock."""

    def _sign(self) -> None:
        super()._sign()
        if self._signed is not None:
            print(self._signed.size, time.monotonic(), flush=True)


def main(url: str, guard: str) -> None:
    """Sequence until the process is told to end."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine = open_engine(url)
    made = Telling(engine=engine, tables=TABLES, signer=SIGNER, origin=ORIGIN, guard_path=Path(guard), now=_now)
    made.run_forever(stop)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


if __name__ == "__main__":
    main(*sys.argv[1:])
