# SPDX-License-Identifier: MIT
"""The two commands of the README in a fresh clone, with nothing of ours installed (long: the environment is made anew)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    return folder


def _make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    }
    return subprocess.run(["make", *arguments], cwd=clone, env=env, capture_output=True, text=True, timeout=900, check=False)


def test_the_demonstration_runs_twice_and_leaves_the_checkout_clean(clone: Path) -> None:
    first = _make(clone, "run", "ONCE=1")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "dependencies installed in" in first.stdout
    again = _make(clone, "run", "ONCE=1")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "dependencies present" in again.stdout
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True).stdout
    assert changed == ""


def test_the_tests_set_themselves_up(clone: Path) -> None:
    done = _make(clone, "test", "TESTS=tests/quality tests/packaging/test_compose_file.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Set-up took " in done.stdout
    assert " passed in " in done.stdout.splitlines()[-1]
