# SPDX-License-Identifier: MIT
"""The benchmark runs to its end, in small, and tells what it promises to tell. Nothing here looks at a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks.measure import Figures
from tests.support.services import ROOT, base_environment


@pytest.mark.timeout(180)
def test_the_benchmark_measures_all_systems_and_finds_every_promise_kept(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--messages", "40", "--pairs", "1", "--json", str(written)]
    done = subprocess.run(command, cwd=ROOT, env=base_environment() | {"COLUMNS": "160"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "service / baseline" in done.stdout
    assert "service / lean baseline" in done.stdout

    told = json.loads(written.read_text())
    made = [(run["system"], run["connections"]) for run in told["runs"]]
    assert made == [(name, connections) for connections in (8, 1) for name in ("baseline", "service", "lean baseline")] + [("embedded", 8)]
    for run in told["runs"]:
        assert {field.name for field in fields(Figures)} <= run.keys()
        assert run["messages"] == 40
        assert run["delivered_per_s"] > 0
        assert run["posts_repeated"] == 0 or "baseline" in run["system"]
        promised = "90 accepted = 90 received, once each; log of " if "baseline" not in run["system"] else ""
        assert run["promises"].startswith(promised)
    assert [(ratio["baseline"], ratio["connections"]) for ratio in told["ratios"]] == [
        (name, connections) for name in ("baseline", "lean baseline") for connections in (8, 1)
    ]
    assert {"cpus", "python", "system"} == told["machine"].keys()
    assert {"links_if_plain", "seal", "prepare"} <= told["steps"]["prepare"].keys()
    assert {"1", "64"} <= told["steps"]["commit"].keys()
    assert "sequence and sign the log" in told["steps"]["deliver"]
