# SPDX-License-Identifier: MIT
"""The fault table: a few rows with few notifications in every run, all of them with 500 each by ``make faults``."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.faults.__main__ import COUNT, SECONDS, WRITTEN, described, kept, said, write
from tests.faults.rows import ROWS, SHORT
from tests.faults.stand import Stand
from tests.faults.table import HEAD, Outcome, line, run_table
from tests.support.waiting import ROOT


def test_every_row_has_a_name_of_its_own_and_stands_in_the_documentation() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert set(SHORT) <= set(names)
    assert all(row.injected and row.heals and row.tool for row in ROWS)
    assert described(ROWS) in (ROOT / "docs" / "faults.md").read_text(encoding="utf-8"), "run: python -m tests.faults --list"


def test_what_did_not_fail_is_kept_when_the_table_is_resumed(tmp_path: Path) -> None:
    good, failed, fewer = (Outcome(row.name, count=COUNT, in_flight=COUNT) for row in ROWS[:3])
    failed.faults, fewer.count = ["lost one"], COUNT - 1
    write([good, failed, fewer, Outcome("a row of before", count=COUNT)], tmp_path / "faults.json")
    assert kept(tmp_path / "faults.json", ROWS, COUNT) == [good]
    assert kept(tmp_path / "nothing.json", ROWS, COUNT) == []
    assert (tmp_path / "faults.txt").read_text().startswith(HEAD)
    assert "4 rows, 1 failed, at least 0 in flight" in said([good, failed, fewer, Outcome("another")])


def test_a_stand_that_does_not_come_up_fails_its_row_and_no_other(tmp_path: Path) -> None:
    def stand(kind: type[Stand]) -> Stand:
        raise OSError("no room")

    outcomes = list(run_table(ROWS[:2], stand, count=1, seconds=0.1))
    assert [(outcome.row, "no stand: OSError" in outcome.faults[0]) for outcome in outcomes] == [(row.name, True) for row in ROWS[:2]]


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_every_row_keeps_every_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes: list[Outcome] = []
    number = itertools.count()
    with capsys.disabled():
        print(f"\n{HEAD}", flush=True)
        for outcome in run_table(ROWS, lambda kind: kind(tmp_path / str(next(number))), count=COUNT, seconds=SECONDS):
            outcomes.append(outcome)
            write(outcomes, WRITTEN)
            print(line(outcome), flush=True)
    assert [outcome.row for outcome in outcomes if outcome.faults] == []
    assert len(outcomes) == len(ROWS)
