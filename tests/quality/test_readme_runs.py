# SPDX-License-Identifier: MIT
"""The README's commands, run in their order as one script: set up for real use, send, collect, open, verify."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mappings.postcodes import demonstration_source
from tests.support.processes import base_environment
from tests.support.services import free_port
from tests.support.waiting import ROOT

# What a reader does between two blocks: copy a token, wait for a server, read a fingerprint out, cut a proof out of an answer.
AFTER = {
    "authority key make": """
working=$(python -c "import json; print(json.load(open('working.json'))['fingerprint'])")
recovery=$(python -c "import json; print(json.load(open('recovery.json'))['fingerprint'])")
""",
    "notify-gateway serve": """
for attempt in $(seq 300); do curl -fs http://127.0.0.1:8080/_status > status.json && break; sleep 0.1; done
TRUST_TOKEN=$(python -c "import json; print(json.load(open('trust-token.json'))['token'])")
AUTHORITY_TOKEN=$(python -c "import json; print(json.load(open('authority-token.json'))['token'])")
waiting() { curl -fs http://127.0.0.1:8080/authority/v1/deliveries -H "Authorization: Bearer $AUTHORITY_TOKEN" | python -c "
import json, sys; print(json.load(sys.stdin)['deliveries'][0]['delivery_id'])" 2> /dev/null; }
""",
    "audit verify": "",
}
BEFORE = {
    "audit verify": """
python - << 'end'
import base64, json
said = {part["url"]: part for part in json.load(open("accepted.json"))["extension"][0]["extension"]}
open("leaf.json", "wb").write(base64.b64decode(said["leaf"]["valueBase64Binary"]))
open("receipt.tlog-proof", "w").write(said["receipt"]["valueString"])
open("promise.txt", "w").write(said["promise"]["valueString"])
end
LOG_KEY=$(curl -fs http://127.0.0.1:8080/log/keys | python -c "import json, sys; print(json.load(sys.stdin)['log'])")
PROMISE_KEY=$(curl -fs http://127.0.0.1:8080/log/keys | python -c "import json, sys; print(json.load(sys.stdin)['promises'])")
""",
}


def blocks() -> list[str]:
    return re.findall(r"(?ms)^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"))


def script(port: int) -> str:
    """Return all blocks but the first as one script; ports are free ones, and what a person reads out is filled in."""
    parts = ["set -euo pipefail", "trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT"]
    for block in blocks()[1:]:
        name = next((key for key in BEFORE | AFTER if key in block), "")
        block = block.replace("--out stockton-working", "--out stockton-working --json > working.json")
        block = block.replace("--out stockton-recovery", "--out stockton-recovery --json > recovery.json")
        block = block.replace('working.pub --fingerprint "AS READ OUT"', 'working.pub --fingerprint "$working"')
        block = block.replace('recovery.pub --fingerprint "AS READ OUT"', 'recovery.pub --fingerprint "$recovery"')
        # Delivery takes a moment; a person would look again.
        block = block.replace(
            'curl --fail-with-body -sS "http://127.0.0.1:8080/authority/v1/deliveries/$DELIVERY_ID"',
            "for attempt in $(seq 300); do DELIVERY_ID=$(waiting) && break; sleep 0.1; done\n"
            'curl --fail-with-body -sS "http://127.0.0.1:8080/authority/v1/deliveries/$DELIVERY_ID"',
        )
        parts += [BEFORE.get(name, ""), block, AFTER.get(name, "")]
    return "\n".join(parts).replace("--port 8080", f"--port {port}").replace("127.0.0.1:8080", f"127.0.0.1:{port}")


def test_the_readme_s_way_to_real_use_works_as_written(tmp_path: Path, make_postgres_database: Callable[[], str], redis_url: str) -> None:
    for name, url in (("database", make_postgres_database()), ("shred", make_postgres_database()), ("broker", redis_url)):
        (tmp_path / f"{name}.url").write_text(url)
    (tmp_path / "ONSPD.csv").write_bytes(demonstration_source().read_bytes())
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = base_environment() | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script(free_port())], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert "SAMPLE" in (tmp_path / "import.csv").read_text(encoding="utf-8-sig")
    assert json.loads((tmp_path / "status.json").read_text())["status"] == "pass"
    assert "Avery" in done.stdout


@pytest.mark.parametrize("command", ["make help", "make run ONCE=1"])
def test_the_commands_of_make_that_the_readme_shows_end_well(command: str) -> None:
    done = subprocess.run(command.split(), cwd=ROOT, env=base_environment(), capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
