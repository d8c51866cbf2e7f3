# SPDX-License-Identifier: MIT
"""The conformance kit against the running service: all its cases pass, and it can tell when one does not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from notify_gateway.cli.main import main
from tests.cli.conftest import call_outside
from tests.support.examples import SigningTrust, signing_trust
from tests.support.processes import base_environment
from tests.support.service import RunningService
from tests.support.waiting import ROOT

GROUPS = {
    *("example", "accepted", "again", "transport", "access", "json", "structure", "message", "law", "school age", "routing"),
    *("attachment", "score", "part 2", "bulk", "dry run", "tracking", "proof", "public", "sign-in"),
}


@pytest.fixture(scope="module")
def trust(one_service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> SigningTrust:
    return signing_trust(one_service, tmp_path_factory.mktemp("trust"), ods="RCF", kind="P-384")


def test_every_case_passes_and_is_told_in_three_forms(one_service: RunningService, trust: SigningTrust, tmp_path: Path) -> None:
    keys = one_service.get("/log/keys").json()
    result = call_outside(
        *("conformance", "run", one_service.base_url, "--ods", trust.ods, "--client-id", trust.client_id),
        *("--key", trust.key_file, "--kid", trust.kid, "--promise-key", keys["promises"], "--log-key", keys["log"]),
        *("--json-file", "result.json", "--junit", "result.xml"),
        folder=tmp_path,
    )
    assert result.status == 0, [line for line in result.out.splitlines() if not line.endswith("pass  ")]
    document = json.loads((tmp_path / "result.json").read_text())
    cases = document["cases"]
    assert document["failed"] == 0
    assert document["passed"] == len(cases) == len({case["name"] for case in cases})
    assert len(cases) > 200
    assert {case["name"].partition("/")[0] for case in cases} == GROUPS
    assert f"{len(cases)} cases: {len(cases)} passed, 0 failed" in result.out
    suites = ElementTree.parse(tmp_path / "result.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == (str(len(cases)), "0")
    assert result.err == ""


def played(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict[str, Any]]]:
    """Play in this process; return the exit status and the cases."""
    with pytest.raises(SystemExit) as ended:
        main(["conformance", "run", "--json", *map(str, arguments)])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)["cases"]


@pytest.fixture
def token(one_service: RunningService, tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(one_service.trust_token)
    return file


def test_it_tells_what_is_wrong(one_service: RunningService, token: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit = tmp_path / "result.xml"
    as_another = (one_service.base_url, "--token-file", token, "--ods", "RYY", "--only", "law/an-adult", "--junit", junit)
    status, (case,) = played(capsys, *as_another)
    assert status == 1
    assert case["expected"] == "422 NG-4010"
    assert case["got"].startswith("403 NG-1106")
    assert case["faults"] == ["the status is 403, not 422", "NG-4010 is not named: NG-1106"]
    failure = ElementTree.parse(junit).getroot().find(".//failure")
    assert failure is not None
    assert "403" in failure.get("message", "")


@pytest.mark.parametrize(("option", "other", "kind"), [("--promise-key", "log", "promise"), ("--log-key", "promises", "receipt")])
def test_a_promise_or_receipt_under_another_key_is_a_fault(
    option: str, other: str, kind: str, one_service: RunningService, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = one_service.get("/log/keys").json()[other]
    status, cases = played(capsys, one_service.base_url, "--token-file", token, "--only", "proof", option, wrong)
    assert status == 1
    assert len(cases) == 2
    assert all(f"the {kind} does not verify" in case["faults"][0] for case in cases)


@pytest.mark.long
def test_the_documented_path_from_the_first_example_to_a_run_works_as_written(
    one_service: RunningService, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    supplier = signing_trust(one_service, tmp_path_factory.mktemp("supplier"), ods="RSU")
    text = (ROOT / "docs/conformance.md").read_text(encoding="utf-8")
    script = next(block for block in re.findall(r"(?ms)^```sh\n(.*?)^```", text) if "examples write" in block)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    given = {"GATEWAY": one_service.base_url, "ODS": supplier.ods, "CLIENT_ID": supplier.client_id, "KEY": str(supplier.key_file)}
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", script.replace("conformance run", "conformance run --only proof")],
        cwd=tmp_path,
        env=base_environment() | path | given | {"KID": supplier.kid},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "2 passed, 0 failed" in done.stdout
    assert "receipt.json" in done.stdout
    assert (tmp_path / "conformance.xml").exists()
