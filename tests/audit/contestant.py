# SPDX-License-Identifier: MIT
"""A sequencer in a process of its own, for tests to kill: ``python -m tests.audit.contestant URL GUARD``."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from audit.log import Sequencer
from notify_gateway.store.engine import open_engine
from tests.audit.builders import ORIGIN, SIGNER, START, TABLES


class Hasty(Sequencer):
    """Works in batches of three, so that kills find it at work."""

    def run_once(self, limit: int = 3) -> int:
        return super().run_once(limit)


def main(url: str, guard: str) -> None:
    engine = open_engine(url)
    sequencer = Hasty(engine=engine, tables=TABLES, signer=SIGNER, origin=ORIGIN, guard_path=Path(guard), now=lambda: START)
    print("runs", flush=True)
    sequencer.run_forever(threading.Event(), pause=0.001, rest=0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
