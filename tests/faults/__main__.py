# SPDX-License-Identifier: MIT
"""``python -m tests.faults``: try the rows of the fault table in turn, print what came of each, and write all of it as text and JSON."""

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
from tests.faults.table import HEAD, Outcome, Row, as_json, from_json, line, run_table
from tests.support.waiting import ROOT

COUNT, SECONDS = 500, 6.0
WRITTEN = ROOT / "build" / "faults.json"


def described(rows: Sequence[Row]) -> str:
    """Return the rows as a table of Markdown."""
    lines = ["| Row | What is injected | How it heals | Tool |", "|---|---|---|---|"]
    for row in rows:
        tool = f"{row.tool}; else {row.other_way}" if row.other_way else row.tool
        lines.append(f"| {row.name} | {row.injected} | {row.heals} | {tool} |")
    return "\n".join(lines)


def write(outcomes: Sequence[Outcome], path: Path) -> None:
    """The outcomes stand in the file as JSON, and beside it as the table that people read; neither is ever half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = "\n".join([HEAD, *map(line, outcomes), said(outcomes)]) + "\n"
    for target, text in ((path, as_json(outcomes)), (path.with_suffix(".txt"), table)):
        fresh = target.with_name(f".{target.name}")
        fresh.write_text(text, encoding="utf-8")
        fresh.rename(target)


def said(outcomes: Sequence[Outcome]) -> str:
    """Return what all of it comes to."""
    failed = sum(bool(outcome.faults) for outcome in outcomes)
    least = min((outcome.in_flight for outcome in outcomes), default=0)
    seconds = sum(outcome.lasted for outcome in outcomes)
    return f"{len(outcomes)} rows, {failed} failed, at least {least} in flight in each; {seconds:.0f} s in the rows"


def kept(path: Path, rows: Sequence[Row], count: int) -> list[Outcome]:
    """Return the outcomes in the file that may stay: of these rows, with as many notifications, and nothing failed."""
    names = {row.name for row in rows}
    found = from_json(path.read_text(encoding="utf-8")) if path.exists() else []
    return [outcome for outcome in found if outcome.row in names and outcome.count == count and not outcome.faults]


def main() -> int:
    """Run the table and return the exit status: 0 when every row kept every promise."""
    asked = _asked()
    rows = list(dict.fromkeys(row for words in asked.only for row in ROWS if words.lower() in row.name.lower()))
    if asked.list:
        print(described(rows))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    outcomes = kept(asked.json, rows, asked.count) if asked.resume else []
    done = {outcome.row for outcome in outcomes}
    left = [row for row in rows if row.name not in done]
    began, places = time.monotonic(), {row.name: place for place, row in enumerate(rows)}
    print("\n".join([HEAD, *map(line, outcomes)]), flush=True)
    with tempfile.TemporaryDirectory(prefix="notify-gateway-faults-") as name:
        number = itertools.count()

        def stand(kind: type[Stand]) -> Stand:
            return kind(Path(name) / str(next(number)), other_way=asked.other_way)

        for outcome in run_table(left, stand, count=asked.count, seconds=SECONDS):
            outcomes = sorted([*outcomes, outcome], key=lambda each: places[each.row])
            write(outcomes, asked.json)
            print(line(outcome), flush=True)
            print(f"  {len(outcomes)} of {len(rows)} after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"{said(outcomes)}; {time.monotonic() - began:.0f} s in all; written to {asked.json} and {asked.json.with_suffix('.txt')}")
    return 1 if len(outcomes) < len(rows) or any(outcome.faults for outcome in outcomes) or not outcomes else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--only", metavar="WORDS", nargs="+", default=[""], help="only rows whose name holds one of these words, in their order"
    )
    parser.add_argument("--count", type=int, default=COUNT, help="notifications in flight when a row strikes, at least")
    parser.add_argument("--resume", action="store_true", help="keep what the file has of rows that did not fail, and try the others")
    parser.add_argument("--other-way", action="store_true", help="do without tools that a machine may lack (small disk, libfaketime)")
    parser.add_argument("--list", action="store_true", help="print the rows as docs/faults.md has them, and do nothing")
    parser.add_argument("--json", type=Path, default=WRITTEN, metavar="FILE", help="write the outcomes there, and as a table beside it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
