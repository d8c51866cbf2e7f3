# SPDX-License-Identifier: MIT
"""MESH from the command line: what doctor says of it, and an authority that fetches."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from notify_gateway.cli.findings import State
from tests.cli.conftest import Call
from tests.cli.test_doctor import found
from tests.support.mesh import OURS, ROUTE, SHARED_KEY, THEIRS, WORKFLOW, MeshSandbox
from tests.support.waiting import free_port

STOCKTON = "E06000004"
PARTS = [part for name, value in ROUTE.items() for part in ("--route", f"{name}={value}")]


def test_doctor_says_what_is_missing_and_whether_mesh_lets_us_in(
    ready: Call, mesh: MeshSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not any(check["name"] == "mesh" for check in ready("doctor", "--json").json["checks"])
    registered = ready("authorities", "register", STOCKTON, "--custody", "authority-held", "--channel", "mesh", *PARTS)
    assert registered.status == 0, registered.err
    check = found("mesh")
    assert check.state is State.FAIL
    assert "NOTIFY_GATEWAY_MESH_URL, NOTIFY_GATEWAY_MESH_MAILBOX, NOTIFY_GATEWAY_MESH_PASSWORD" in check.fix
    (tmp_path / "password").write_text("password\n")
    monkeypatch.setenv("NOTIFY_GATEWAY_MESH_PASSWORD_FILE", str(tmp_path / "password"))
    for name, value in (("URL", mesh.url), ("MAILBOX", OURS), ("SHARED_KEY", SHARED_KEY.decode())):
        monkeypatch.setenv(f"NOTIFY_GATEWAY_MESH_{name}", value)
    assert (found("mesh").state, found("mesh").value) == (State.OK, f"lets mailbox {OURS} in")
    monkeypatch.setenv("NOTIFY_GATEWAY_MESH_SHARED_KEY", "another")
    assert "mesh-unauthorised" in found("mesh").value
    monkeypatch.setenv("NOTIFY_GATEWAY_MESH_URL", f"http://127.0.0.1:{free_port()}")
    assert "mesh-unreachable" in found("mesh").value


def test_an_authority_fetches_keeps_and_confirms(call: Call, mesh: MeshSandbox, folder: Path) -> None:
    delivery = str(uuid4())
    document = json.dumps({"format": "notify-gateway/delivery", "delivery_id": delivery}).encode()
    with mesh.open(OURS) as ours:
        ours.send(THEIRS, WORKFLOW, delivery, document)
    Path("password").write_text("password\n")
    Path("key").write_bytes(SHARED_KEY)
    secrets = ("--password-file", "password", "--shared-key-file", "key", "--out", "got", "--json")
    command = ("authority", "mesh-receive", "--url", mesh.url, "--mailbox", THEIRS, "--from", OURS, "--workflow", WORKFLOW, *secrets)
    assert call(*command).json == {"held": [f"got/{delivery}.json"], "left": 0}
    assert Path("got", f"{delivery}.json").read_bytes() == document
    [confirmed] = mesh.arrived(OURS)
    assert (confirmed.sender, confirmed.workflow) == (THEIRS, f"{WORKFLOW}_ACK")
    assert call(*command).json == {"held": [], "left": 0}
    Path("key").write_bytes(b"another")
    refused = call(*command)
    assert refused.status == 1
    assert "mesh-unauthorised" in refused.words
