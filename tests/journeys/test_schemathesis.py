# SPDX-License-Identifier: MIT
"""Schemathesis against the running service, all checks: what the description promises holds for whatever is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import RunningService
from tests.support.waiting import ROOT

NO_LIMITS = {"NOTIFY_GATEWAY_CLIENT_RATE": "0", "NOTIFY_GATEWAY_ADDRESS_RATE": "0", "NOTIFY_GATEWAY_SIGN_IN_FAILURES": "0"}
CONFIGURATION = """
hooks = "tests.support.schemathesis_hooks"

[checks.positive_data_acceptance]
# No JSON Schema can say that a parent was told first: a body of the right shape may still be refused with 4xx.
expected-statuses = ["2xx", "303", "304", "4xx", "503"]

[[operations]]
include-path-regex = "^/fhir/R4/([$]|Bundle|Task)"
headers = {{ Authorization = "Bearer {trust}" }}

[[operations]]
include-path-regex = "^/authority"
headers = {{ Authorization = "Bearer {authority}" }}

[[operations]]
include-path-regex = "^/log/export"
headers = {{ Authorization = "Bearer {trust}" }}

[[operations]]
include-path-regex = "^/(ig|log/tile/entries|fhir/R4/AuditEvent)"
headers = {{ Authorization = "Bearer {ig}" }}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with RunningService(tmp_path_factory.mktemp("schemathesis") / "it", environment=NO_LIMITS) as running:
        yield running


def run(service: RunningService, folder: Path, *arguments: str) -> None:
    """Run all checks; raises ``AssertionError`` with the report of schemathesis.

    By one worker: in several threads Hypothesis changes the recursion limit under the other's parser, and CPython 3.11 fails (SystemError).
    """
    tokens = {"trust": service.trust_token, "authority": service.pull_token, "ig": service.ig_token}
    (folder / "schemathesis.toml").write_text(CONFIGURATION.format(**tokens))
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(folder / "schemathesis.toml"), "run",
        f"{service.base_url}/openapi.json", "--checks=all", "--no-color", "--seed=23", *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "COLUMNS": "140", "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout[-60_000:] + done.stderr[-4_000:]


def test_what_is_described_holds_for_whatever_is_sent(served: RunningService, tmp_path: Path) -> None:
    # ValueSet stands for all definitions, one page of operations and one of the inbox for all: the others are turned off here.
    alike = (
        "^/fhir/R4/(CodeSystem|MessageDefinition|OperationDefinition|StructureDefinition)|^/ops/"
        "|^/(inbox/|notifications|team|devices|sign-in|sign-out|account|still-here|help|privacy|accessibility|nonprod)"
    )
    run(served, tmp_path, "--phases=examples,coverage,fuzzing", "--max-examples=1", "--workers=1", "--exclude-path-regex", alike)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_what_is_described_holds_at_length(served: RunningService, tmp_path: Path) -> None:
    run(served, tmp_path, "--max-examples=100", "--workers=1")
