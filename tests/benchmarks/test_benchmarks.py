# SPDX-License-Identifier: MIT
"""The benchmark runs to its end, in small, and tells what it promises to tell. Nothing here looks at a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks.log.export import measure_export
from benchmarks.log.tree import Rates, measure_tree
from benchmarks.measure import Figures
from tests.support.services import ROOT, base_environment


@pytest.mark.long
@pytest.mark.timeout(180)
def test_the_benchmark_measures_all_systems_and_finds_every_promise_kept(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    plan = ("--quick", "--messages", "40", "--pairs", "1", "--pairs-alone", "0", "--only", "service")
    command = [sys.executable, "-m", "benchmarks", *plan, "--json", str(written)]
    done = subprocess.run(command, cwd=ROOT, env=base_environment() | {"COLUMNS": "160"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "service / baseline" in done.stdout
    assert "service / lean baseline" in done.stdout

    told = json.loads(written.read_text())
    made = [(run["system"], run["connections"]) for run in told["runs"]]
    assert made == [(name, 8) for name in ("baseline", "service", "lean baseline", "embedded")]
    for run in told["runs"]:
        assert {field.name for field in fields(Figures)} <= run.keys()
        assert run["messages"] == 40
        assert run["delivered_per_s"] > 0
        assert run["posts_repeated"] == 0 or "baseline" in run["system"]
        promised = "90 accepted = 90 received, once each; log of " if "baseline" not in run["system"] else ""
        assert run["promises"].startswith(promised)
    assert [(ratio["baseline"], ratio["connections"]) for ratio in told["ratios"]] == [("baseline", 8), ("lean baseline", 8)]
    assert {"cpus", "python", "system"} == told["machine"].keys()
    assert {"links_if_plain", "seal", "prepare"} <= told["steps"]["prepare"].keys()
    assert len(told["steps"]["front_door"]["validation_us"]) == len(told["steps"]["front_door"]["models_alone_us"]) > 0
    assert {"1", "64"} <= told["steps"]["commit"].keys()
    assert "sequence and sign the log" in told["steps"]["deliver"]


def test_the_tree_and_the_export_are_measured_on_what_they_are_said_to_be(tmp_path: Path) -> None:
    ours, pymerkle = measure_tree(300)
    assert all(getattr(rates, field.name) > 0 for rates in (ours, pymerkle) for field in fields(Rates))
    assert measure_export(tmp_path, 5000).entries == 5000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_log_alone_is_measured(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--messages", "60", "--pairs", "1", "--only", "log", "--json", str(written)]
    done = subprocess.run(command, cwd=ROOT, env=base_environment() | {"COLUMNS": "160"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(written.read_text())["log"]
    assert told["export"]["entries"] == told["ours"]["size"] == told["pymerkle"]["size"] == 1500
    assert all(pace["p50_ms"] > 0 for pace in told["paces"] if pace["entries_per_s"])
    assert [len(told[runs]) for runs in ("logged", "unlogged")] == [1, 1]
    assert "sequencer" in told["logged"][0]["cpu_ms_by_part"]
    assert "sequencer" not in told["unlogged"][0]["cpu_ms_by_part"]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_delivery_alone_is_measured(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--messages", "60", "--only", "delivery", "--json", str(written)]
    done = subprocess.run(command, cwd=ROOT, env=base_environment() | {"COLUMNS": "160"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(written.read_text())["delivery"]
    assert [(run["others"], run["kept_waiting"]) for runs in ("control", "dead") for run in told["dead"][runs]] == [(54, 0), (54, 6)]
    assert told["backlog"]["drained"][0]["promises"].startswith("110 accepted = 110 received, once each")
    assert [(made["form"], made["deliveries"]) for made in told["day"]] == [("json", 60), ("csv", 60)]
    assert told["kept"].keys() == {"dead", "backlog"}
    assert "never answers" in done.stdout
