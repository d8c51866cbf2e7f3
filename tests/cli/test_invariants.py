# SPDX-License-Identifier: MIT
"""``notify-gateway invariants``, ``slo`` and ``reconcile``: what is checked by itself, by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from notify_gateway.domain.clock import SystemClock, london_day
from notify_gateway.use_cases.invariants.table import INVARIANTS
from tests.cli.conftest import Call
from tests.support.templates import Templates
from tests.use_cases.conftest import STOCKTON, House, furnished
from tests.use_cases.days_work import work


@pytest.fixture
def worked(folder: Path, templates: Templates, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house that did a day's work two hours ago, and has left some of it lying since."""
    (folder / "house").mkdir()
    with contextmanager(furnished)(folder / "house", templates, None) as house:
        house.clock.instant = SystemClock().now() - timedelta(hours=2)
        work(house)
        monkeypatch.setenv("NOTIFY_GATEWAY_DATA_DIR", str(folder / "house"))
        yield house


def test_a_breach_ends_with_status_1_a_reference_and_the_way_to_the_runbook_and_objectives_are_missed(worked: House, call: Call) -> None:
    told = call("invariants")
    assert told.status == 1
    assert "SEN-" in told.out
    assert "docs/operators.md#what-is-checked-by-itself" in told.out
    found = call("invariants", "--whole", "--json")
    assert found.status == 1
    assert [each["name"] for each in found.json["findings"]] == [each.name for each in INVARIANTS]
    assert [each["name"] for each in found.json["findings"] if each["level"] != "ok"] == ["nothing-is-overdue"]
    assert found.json["reach"] == "whole"
    told = call("slo", "--days", "1")
    assert told.status == 0
    for words in ("delivered-in-time", "99%", "missed", "oldest-waiting", "900 s"):
        assert words in told.words


def test_where_all_is_well_the_status_is_0(ready: Call) -> None:
    assert ready("invariants").status == 0
    found = ready("slo", "--json")
    assert found.status == 0
    assert [each["met"] for each in found.json["objectives"]] == [None, None, True, True]


def test_the_file_of_a_day_is_shown_in_sums_and_written(worked: House, call: Call, folder: Path) -> None:
    day = london_day(worked.clock.now()).isoformat()
    told = call("reconcile", "--day", day, "--trust", "rxx", "--out", folder / "rxx.csv")
    assert told.status == 0
    assert "The sums balance." in told.out
    with (folder / "rxx.csv").open(newline="", encoding="utf-8") as file:
        assert {line["record"] for line in csv.DictReader(file)} == {"head", "total", "delivery"}
    assert call("reconcile", "--day", day, "--authority", STOCKTON, "--out", folder / "a.json").status == 0
    written = json.loads((folder / "a.json").read_bytes())
    printed = call("reconcile", "--day", day, "--authority", STOCKTON, "--json").json
    assert written | {"made_at": ""} == printed | {"made_at": ""}


def test_what_cannot_be_made_is_said(ready: Call) -> None:
    for arguments, words in (
        (("--day", "2026-11-20"), "Give --trust ODS or --authority GSS."),
        (("--day", "2026-11-20", "--trust", "RXX", "--authority", STOCKTON), "Give --trust ODS or --authority GSS."),
        (("--day", "2026-11-20", "--trust", "NOBODY"), "NG-7202"),
    ):
        told = ready("reconcile", *arguments)
        assert (told.status, words in told.words) == (1, True), told.words
    assert ready("trusts", "register", "RXX", "--name", "A trust", "--type", "nhs-trust").status == 0
    for day, words in (("yesterday", "YYYY-MM-DD"), ("9999-01-01", "NG-8006"), ("2020-01-01", "NG-9003")):
        told = ready("reconcile", "--day", day, "--trust", "RXX")
        assert (told.status, words in told.words) == (1, True), told.words
