# SPDX-License-Identifier: MIT
"""``make test``: all set-up, then the checks, then the tests, with the time of each. Needs only the standard library to start.

The last line printed is pytest's own closing line. A check that fails is shown at once and the rest still runs; the exit status is 0
only when everything passed.

Usage: ``python -m tools.check [--only set-up|environment|lint|types|tests] [-- arguments for pytest]``
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tools import environment, set_up_bruno, set_up_mesh_sandbox, set_up_tests

BIN = environment.VENV / "bin"
PRODUCT, TOOLS = ("audit", "mappings", "notify_gateway", "workers"), ("tools", "benchmarks")
TYPED = (*PRODUCT, *TOOLS, "tests/benchmarks", "tests/packaging", "tests/quality", "tests/conftest.py")
CHECKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "lint": (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("lint-imports",),
        ("python", "-m", "tools.vendor_assets", "--check"),
        ("python", "-m", "tools.vendor_hpke", "--check"),
    ),
    "types": (("mypy", "--num-workers", "2", *TYPED),),
}
TESTS = ("-m", "pytest", "-q")
# Three processes, a file of tests in one of them: files start servers of their own and wait for them, so two cores have time for three.
# The files with the longest tests come first (tests/conftest.py), so that none of them runs alone at the end.
IN_PARALLEL = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")


def set_up(*, servers: bool) -> bool:
    """Make the environment and see to the servers that tests use; print what was done, with the time, and tell whether it worked."""
    started = time.monotonic()
    print("Setting up …", flush=True)
    try:
        with ThreadPoolExecutor(1) as beside:
            sandbox = beside.submit(_mesh_sandbox) if servers else None
            done = [environment.make("dev"), *([set_up_tests.set_up(), _bruno(), _oracle()] if servers else [])]
            done += [sandbox.result()] if sandbox else []
    except (environment.SetUpFailed, set_up_tests.SetUpFailed) as error:
        print(error, file=sys.stderr)
        return False
    print(f"Set-up took {time.monotonic() - started:.1f} s: {'; '.join(done)}.", flush=True)
    return True


def _bruno() -> str:
    """See to Bruno; without it one test fails, and all others are still worth running."""
    try:
        return set_up_bruno.set_up()
    except set_up_tests.SetUpFailed as error:
        print(error, file=sys.stderr)
        return "Bruno missing"


def _oracle() -> str:
    """Build Go's own log code, with which the proofs are compared; where it cannot be built, its tests fail and say why."""
    started = time.monotonic()
    done = subprocess.run([str(environment.PYTHON), "-m", "tests.audit.oracle"], cwd=environment.ROOT, capture_output=True, check=False)
    return f"Go's log code built in {time.monotonic() - started:.1f} s" if done.returncode == 0 else "Go's log code missing"


def _mesh_sandbox() -> str:
    """See to the MESH sandbox; without it the tests of MESH fail, and all others are still worth running."""
    try:
        return set_up_mesh_sandbox.set_up()
    except set_up_tests.SetUpFailed as error:
        print(error, file=sys.stderr)
        return "MESH sandbox missing"


def run_checks(kinds: list[str]) -> list[str]:
    """Run every check of these kinds, print one line for each and the output of those that fail; return the names of those."""
    failed = []
    for command in (command for kind in kinds for command in CHECKS[kind]):
        started = time.monotonic()
        done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=environment.ROOT, capture_output=True, text=True, check=False)
        name = " ".join(part for part in command if part not in TYPED)
        print(f"{name + ' ':.<50} {'ok' if done.returncode == 0 else 'FAILED':6} {time.monotonic() - started:5.1f} s", flush=True)
        if done.returncode != 0:
            print(done.stdout + done.stderr, flush=True)
            failed.append(name)
    return failed


def run_tests(arguments: list[str], failed_checks: list[str]) -> int:
    """Run pytest, whose output goes straight through, and return its exit status."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # to compile all tests takes seconds
    env["CHECKS_FAILED"] = ", ".join(failed_checks)
    return subprocess.run([str(environment.PYTHON), *TESTS, *arguments], cwd=environment.ROOT, env=env, check=False).returncode


def main() -> int:
    """Do what the arguments ask for and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["set-up", "environment", "lint", "types", "tests"])
    parser.add_argument("pytest_arguments", nargs="*", default=[])
    asked = parser.parse_args()
    if not set_up(servers=asked.only in (None, "set-up", "tests")):
        return 1
    failed = run_checks([kind for kind in CHECKS if asked.only in (None, kind)])
    status = 0
    if asked.only in (None, "tests"):
        status = run_tests(asked.pytest_arguments or list(IN_PARALLEL), failed)
    return 1 if failed or status else 0


if __name__ == "__main__":
    sys.exit(main())
