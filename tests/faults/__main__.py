# SPDX-License-Identifier: MIT
"""``python -m tests.faults``: try the rows of the fault table in turn, print what came of each, and write all of it as JSON."""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.rows import ROWS
from tests.faults.stand import Stand
from tests.faults.table import HEAD, Row, as_json, line, run_table
from tests.support.waiting import ROOT

COUNT, SECONDS = 500, 8.0
WRITTEN = ROOT / "build" / "faults.json"


def described(rows: Sequence[Row]) -> str:
    """Return the rows as a table of Markdown."""
    lines = ["| Row | What is injected | How it heals | Tool |", "|---|---|---|---|"]
    for row in rows:
        tool = f"{row.tool}; else {row.other_way}" if row.other_way else row.tool
        lines.append(f"| {row.name} | {row.injected} | {row.heals} | {tool} |")
    return "\n".join(lines)


def main() -> int:
    """Run the table and return the exit status: 0 when every row kept every promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--only", metavar="WORDS", nargs="+", default=[""], help="only rows whose name holds one of these words, in their order"
    )
    parser.add_argument("--count", type=int, default=COUNT, help="notifications of each row (an even number)")
    parser.add_argument("--other-way", action="store_true", help="do without tools that a machine may lack (small disk, libfaketime)")
    parser.add_argument("--list", action="store_true", help="print the rows as docs/faults.md has them, and do nothing")
    parser.add_argument("--json", type=Path, default=WRITTEN, metavar="FILE", help="write the outcomes there")
    asked = parser.parse_args()
    rows = list(dict.fromkeys(row for words in asked.only for row in ROWS if words.lower() in row.name.lower()))
    if asked.list:
        print(described(rows))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    began, outcomes = time.monotonic(), []
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="notify-gateway-faults-") as name:
        number = itertools.count()

        def stand() -> Stand:
            return Stand(Path(name) / str(next(number)), other_way=asked.other_way)

        for outcome in run_table(rows, stand, count=asked.count, seconds=SECONDS):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
    failed = [outcome.row for outcome in outcomes if outcome.faults]
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(as_json(outcomes), encoding="utf-8")
    print(f"{len(outcomes)} rows, {len(failed)} failed, {time.monotonic() - began:.0f} s; written to {asked.json}")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
