# SPDX-License-Identifier: MIT
"""The examples of this repository, run as their readers would run them, against a running service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from notify_gateway.cli.examples.draft import Draft, template
from notify_gateway.domain.clock import SystemClock
from tests.cli.conftest import call_outside
from tests.support.answers import issue_codes
from tests.support.examples import SigningTrust, signing_trust
from tests.support.processes import base_environment
from tests.support.service import RunningService
from tests.support.waiting import ROOT
from tools import set_up_bruno

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def trust(one_service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> SigningTrust:
    return signing_trust(one_service, tmp_path_factory.mktemp("trust"), ods="REX")


@pytest.fixture
def message(tmp_path: Path) -> Path:
    file = tmp_path / "message.json"
    file.write_text(Draft(SystemClock().now(), ods="REX").text())
    return file


def run(*command: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = base_environment() | {"PATH": path} | environment
    return subprocess.run([str(each) for each in command], cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False)


def test_the_shell_scripts_sign_in_send_and_fetch_the_proof(
    one_service: RunningService, trust: SigningTrust, message: Path, tmp_path: Path
) -> None:
    where = {"GATEWAY": one_service.base_url}
    signing = {"CLIENT_ID": trust.client_id, "KID": trust.kid, "KEY": str(trust.key_file)}
    token = run(EXAMPLES / "curl/sign_in.sh", folder=tmp_path, **where, **signing)
    assert token.returncode == 0, token.stderr

    sent = run(EXAMPLES / "curl/send.sh", message, folder=tmp_path, **where, TOKEN=token.stdout.strip())
    assert sent.returncode == 0, sent.stderr + sent.stdout
    assert re.search(r"Task: http\S+/fhir/R4/Task/", sent.stdout)
    assert "tlog-proof" in (tmp_path / "receipt.json").read_text()
    again = run(EXAMPLES / "curl/send.sh", message, folder=tmp_path, **where, TOKEN=token.stdout.strip())
    assert again.returncode == 0, again.stderr
    assert "NG-6001" in again.stdout

    message.write_text(Draft(SystemClock().now(), ods="REX").without("informed").text())
    refused = run(EXAMPLES / "curl/send.sh", message, folder=tmp_path, **where, TOKEN=token.stdout.strip())
    assert refused.returncode == 1
    assert "NG-4001" in refused.stdout
    assert run(EXAMPLES / "curl/sign_in.sh", folder=tmp_path, **where, **signing | {"KID": "another"}).returncode != 0


def test_the_python_example_signs_in_sends_and_follows(
    one_service: RunningService, trust: SigningTrust, message: Path, tmp_path: Path
) -> None:
    script = EXAMPLES / "python/send.py"
    signing = ("--client-id", trust.client_id, "--key", trust.key_file, "--kid", trust.kid)
    sent = run(sys.executable, script, one_service.base_url, message, *signing, folder=tmp_path)
    assert sent.returncode == 0, sent.stderr
    task = re.search(r"Accepted: (\S+)", sent.stdout)
    assert task is not None
    again = run(sys.executable, script, one_service.base_url, message, *signing, folder=tmp_path)
    assert task[1] in again.stdout, again.stderr

    message.write_text(Draft(SystemClock().now(), ods="REX").without("informed").text())
    refused = run(sys.executable, script, one_service.base_url, message, *signing, folder=tmp_path)
    assert refused.returncode == 1
    assert "was not informed" in refused.stderr


def test_the_bruno_collection_passes_by_bruno_s_own_command(one_service: RunningService, trust: SigningTrust, tmp_path: Path) -> None:
    given = {
        "gateway": one_service.base_url,
        "ods": trust.ods,
        "clientId": trust.client_id,
        "kid": trust.kid,
    }
    arguments = [part for name, value in given.items() for part in ("--env-var", f"{name}={value}")]
    report = tmp_path / "report.json"
    command = (set_up_bruno.command(), "run", "--env", "test", *arguments, "--reporter-json", report)
    done = run(*command, folder=EXAMPLES / "bruno", PRIVATE_KEY=trust.key_file.read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(report.read_text())[0]["results"]
    requests = sorted(path.stem for path in (EXAMPLES / "bruno").glob("[0-9]*.bru"))
    assert sorted(result["name"] for result in results) == requests
    tests = [test for result in results for test in result["testResults"]]
    assert len(tests) >= len(requests)
    assert {test["status"] for test in tests} == {"pass"}


def test_the_message_of_the_collection_is_the_example() -> None:
    text = (EXAMPLES / "bruno/03 try a message.bru").read_text()
    body = re.search(r"(?ms)^body:json \{\n(.*?)^\}$", text)
    assert body is not None
    assert json.loads(body[1]) == template()


def test_every_written_example_gets_the_answer_that_its_readme_tells(one_service: RunningService, tmp_path: Path) -> None:
    written = call_outside("examples", "write", "try", "--json", folder=tmp_path)
    assert written.status == 0, written.err
    got: dict[str, Any] = {}
    for each in written.json:
        response = one_service.post((tmp_path / each["file"]).read_bytes(), request_id=str(uuid4()))
        codes = issue_codes(response) if response.status_code >= 400 else [None]
        got[each["file"]] = response.status_code, each["code"] if each["code"] in codes else codes
    assert got == {each["file"]: (each["status"], each["code"]) for each in written.json}
