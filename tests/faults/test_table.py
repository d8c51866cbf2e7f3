# SPDX-License-Identifier: MIT
"""The fault table: a few rows with few notifications in every run, all of them with 500 each by ``make faults``."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.__main__ import COUNT, SECONDS, WRITTEN, described
from tests.faults.rows import ROWS, SHORT
from tests.faults.stand import PRESSED, Stand
from tests.faults.table import HEAD, Outcome, Row, Trial, as_json, line, run_table, try_row
from tests.support.service import WEBHOOK
from tests.support.waiting import ROOT


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with Stand(tmp_path_factory.mktemp("stand"), pause=4, environment=PRESSED) as made:
        yield made


@pytest.mark.timeout(180)
@pytest.mark.parametrize("row", [row for row in ROWS if row.name in SHORT], ids=lambda row: row.name)
def test_the_short_form_keeps_every_promise(stand: Stand, row: Row) -> None:
    outcome = try_row(stand, row, count=60, seconds=2.0)
    assert outcome.faults == []
    assert (outcome.sent, outcome.accepted, outcome.delivered, outcome.applied_twice, outcome.lost) == (60, 60, 60, 0, 0)
    assert outcome.log_verifies


def test_a_row_that_loses_or_doubles_one_fails_and_says_so(stand: Stand) -> None:
    def spoil(stand: Stand, trial: Trial) -> None:
        trial.hurry()
        trial.wait_delivered(1)
        first = next(str(row.id) for row in trial.standing().values() if row.authority == WEBHOOK)
        stand.receiver.applied["another"] = stand.receiver.applied[first]

    def lose(stand: Stand, trial: Trial) -> None:
        spoil(stand, trial)
        stand.receiver.applied.pop("another")
        stand.receiver.applied.popitem()

    spoilt = Row("spoilt", "", "", "hand", spoil)
    doubled, lost = (try_row(stand, replace(spoilt, inject=inject), count=8, seconds=0.5) for inject in (spoil, lose))
    assert (doubled.applied_twice, doubled.lost, doubled.log_verifies) == (1, 0, False)
    assert (lost.applied_twice, lost.lost, lost.log_verifies) == (0, 1, False)
    assert "FAILED: AssertionError" in line(lost)
    assert json.loads(as_json([lost]))[0]["lost"] == 1


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
