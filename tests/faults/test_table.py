# SPDX-License-Identifier: MIT
"""The fault table: a few rows with few notifications in every run, all of them with 500 each by ``make faults``."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.faults.__main__ import COUNT, SECONDS, WRITTEN, described
from tests.faults.rows import ROWS, SHORT
from tests.faults.stand import Stand
from tests.faults.table import HEAD, Outcome, as_json, line, run_table
from tests.support.waiting import ROOT


def test_every_row_has_a_name_of_its_own_and_stands_in_the_documentation() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert set(SHORT) <= set(names)
    assert all(row.injected and row.heals and row.tool for row in ROWS)
    assert described(ROWS) in (ROOT / "docs" / "faults.md").read_text(encoding="utf-8"), "run: python -m tests.faults --list"


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_every_row_keeps_every_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes: list[Outcome] = []
    number = itertools.count()
    with capsys.disabled():
        print(f"\n{HEAD}", flush=True)
        for outcome in run_table(ROWS, lambda: Stand(tmp_path / str(next(number))), count=COUNT, seconds=SECONDS):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(as_json(outcomes), encoding="utf-8")
    assert [outcome.row for outcome in outcomes if outcome.faults] == []
    assert len(outcomes) == len(ROWS)
