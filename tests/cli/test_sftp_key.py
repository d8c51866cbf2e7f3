# SPDX-License-Identifier: MIT
"""The key for SFTP servers: made once, shown as a line, and examined only where somebody is reached that way."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from notify_gateway.cli.doctor import examine
from notify_gateway.cli.findings import Check, State
from notify_gateway.runtime import Runtime
from notify_gateway.settings import Settings
from notify_gateway.store.tables import sftp_looks
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.look_for_receipts import looked
from tests.cli.conftest import Call
from tests.support.sftp_server import make_key

GSS = "E06000004"
KEY = Path("var/keys/sftp.key")


def found(name: str) -> Check | None:
    return next((check for check in examine() if check.name == name), None)


def test_the_key_is_made_once_and_openssh_reads_it(call: Call) -> None:
    made, again = call("keys", "sftp", "--json").json, call("keys", "sftp", "--json").json
    assert (made["made"], again) == (True, {**made, "made": False})
    assert stat.S_IMODE(KEY.stat().st_mode) == 0o400
    told = subprocess.run(["ssh-keygen", "-lf", KEY], capture_output=True, text=True, check=True).stdout
    assert made["fingerprint"] in told
    shown = call("keys", "sftp").out
    assert made["public"] in shown
    assert "PRIVATE" not in shown
    KEY.chmod(0o644)
    assert "chmod 0400" in call("keys", "sftp").words


def test_doctor_looks_at_it_where_an_authority_is_reached_by_sftp(ready: Call, tmp_path: Path) -> None:
    assert found("sftp key") is None
    route = {"host": "files.example.org", "port": "22", "user": "notify", "host_key": make_key(tmp_path / "host"), "folder": "in"}
    runtime = Runtime.open(Settings())
    gateway = runtime.gateway
    onboard.register_authority(gateway, gss=GSS, custody="authority-held", channel="sftp", route=route, actor="test")
    missing = found("sftp key")
    assert missing is not None
    assert (missing.state, "keys sftp" in missing.fix) == (State.FAIL, True)
    assert ready("keys", "sftp").status == 0
    well = found("sftp key")
    assert well is not None
    assert (well.state, well.value[:7]) == (State.OK, "SHA256:")
    server = found(f"sftp {GSS}")
    assert server is not None
    assert (server.state, server.value) == (State.OK, "not looked at yet")
    with gateway.engine.begin() as connection:
        connection.execute(sftp_looks.insert().values(authority=GSS, due_at=gateway.clock.now()))
    assert looked(gateway, authority=GSS, code="sftp-host-key")
    changed = found(f"sftp {GSS}")
    assert changed is not None
    assert (changed.state, "telephone" in changed.fix) == (State.WARN, True)
    assert not looked(gateway, authority=GSS, code="sftp-host-key")
    KEY.chmod(0o600)
    KEY.write_text("rubbish")
    rubbish = found("sftp key")
    assert rubbish is not None
    assert (rubbish.state, "move it away" in rubbish.fix.lower()) == (State.FAIL, True)
    runtime.close()
