# SPDX-License-Identifier: MIT
"""Every code of the catalogue is used by the product and raised in some test; the ledger that proves the second cannot be deceived."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, NotifyError
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.use_cases.access import DoorKeeper
from tests.support.ledger import LEDGER, PRODUCT
from tests.support.waiting import ROOT


def test_every_code_is_used_by_the_product() -> None:
    """A code that nobody raises would be a page about nothing."""
    modules = [path for room in PRODUCT for path in (ROOT / room).rglob("*.py") if "catalogue" not in path.parts]
    used = {
        node.attr
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Code"
    }
    assert set(Code.__members__) - used == set()


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What the ledger sees during the test; afterwards it has what it had before."""
    seen: set[str] = set()
    monkeypatch.setattr(LEDGER, "seen", seen)
    return seen


def test_what_the_product_raises_is_seen(empty: set[str]) -> None:
    keeper = DoorKeeper.__new__(DoorKeeper)
    with pytest.raises(NotifyError):
        keeper.admit(None, "any")
    assert empty == {Code.TOKEN_MISSING}


def test_what_a_test_makes_for_itself_is_not_seen(empty: set[str]) -> None:
    for error in (NotFound(Issue(Code.TASK_UNKNOWN)), NotifyError.because(Code.TIMEOUT)):
        with pytest.raises(NotifyError):
            raise error
    operation_outcome([Issue(code) for code in Code])
    # A thread of a service that another test has opened may raise codes of its own meanwhile.
    assert not empty & {Code.TASK_UNKNOWN, Code.TIMEOUT}


RUN = """
import pytest
from notify_gateway.domain.catalogue import Code
from notify_gateway.use_cases.access import DoorKeeper

def test_it() -> None:
    with pytest.raises(Exception):
        DoorKeeper.__new__(DoorKeeper).admit(None, "any")
"""
CONFTEST = """
from tests.support import ledger
from tests.conftest import pytest_configure, pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

ledger.Ledger.missing = lambda self: sorted({"NG-1101", %s} - self.seen)
"""


@pytest.mark.parametrize(
    ("also", "arguments", "status"),
    [pytest.param("", ["-n1"], 0, marks=pytest.mark.long), ("'NG-9999'", ["-n0"], 1), ("'NG-9999'", ["-n0", "-k", "it"], 0)],
    ids=["all raised, by a process of the run", "one missing", "a part of the tests"],
)
def test_a_whole_run_that_misses_a_code_fails_and_names_it(tmp_path: Path, also: str, arguments: list[str], status: int) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "test_inner.py").write_text(RUN)
    (tmp_path / "conftest.py").write_text(CONFTEST % also)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = inner\nmarkers = long\n faults\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == status, done.stdout + done.stderr
    assert ("no test raised: NG-9999" in done.stdout) == bool(status)
