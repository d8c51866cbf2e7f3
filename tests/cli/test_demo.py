# SPDX-License-Identifier: MIT
"""The demonstration plays through the real front door, tells what it saw, may be run again, and goes on serving when asked."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
from pathlib import Path

import httpx2
import pytest

from notify_gateway.cli.demo.message import NHS_NUMBERS, fresh
from notify_gateway.cli.examples.draft import MIDDLESBROUGH, NAME, STOCKTON, Home, template
from notify_gateway.cli.examples.values import traces
from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.identity import has_valid_check_digit
from tests.cli.conftest import COMMAND, Call, call_outside
from tests.support.processes import Process, base_environment
from tests.support.services import eventually, free_port
from tests.support.waiting import ROOT

STEPS = {
    *("Posted", "Checked", "Promised", "Split", "Sealed", "Committed", "Queued"),
    *("Delivered", "Opened", "Received", "Acknowledged", "Receipt", "In the log", "Refused", "Arrived"),
}


def test_it_goes_on_serving_until_it_is_ended_and_plays_again_on_the_same_folder(folder: Path) -> None:
    said = serve(folder)
    assert {title.strip() for title in re.findall(r"✓ (.{12}\S?)", said)} == STEPS
    assert "NG-4001" in said
    family = [trace for trace in traces(template()) if trace != STOCKTON.postcode]
    assert not [trace for trace in family if trace in said]

    again = call_outside("demo", "--once", "--data", "demo", "--port", free_port(), "--json", folder=folder, environment=real(folder))
    assert again.status == 0, again.err
    steps = {step["title"]: step for step in reversed(again.json["steps"])}
    assert steps.keys() == STEPS
    references = [set(re.findall(r"SEN-[0-9A-Z]{8}-[0-9A-Z]", out)) for out in (said, again.out)]
    assert all(len(found) == 2 for found in references)
    assert not references[0] & references[1]

    entries = [line.split() for line in steps["In the log"]["evidence"]]
    acts = ("queued", "attempted", "offered", "fetched", "received", "acknowledged")
    assert [entry[2] for entry in entries] == ["notification:accepted", "notification:split", *(f"delivery:{act}" for act in acts)]
    assert f"log entry {entries[0][0]}" in steps["Committed"]["words"]
    assert f"index {entries[0][0]} " in steps["Receipt"]["evidence"][0]

    kept = sorted((folder / "demo/authorities" / STOCKTON.gss / "deliveries").iterdir())
    key = folder / "demo/authorities" / STOCKTON.gss / "working.key"
    opened = call_outside("authority", "open", *kept, "--key", key, "--gateway-key", folder / "demo/keys/gateway.pub.json", folder=folder)
    assert opened.status == 0, opened.err
    assert [path.stem in opened.out for path in kept] == [True, True]
    assert (folder / "demo").stat().st_mode & 0o077 == 0
    assert not (folder / "real-keys").exists()


def serve(folder: Path) -> str:
    """Run the demonstration on a port that is taken, use what it offers, end it, and return what it had said when it began to serve."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [*COMMAND, "demo", "--data", "demo", "--port", str(port)]
        demo = Process(command, name="demo", log=folder / "demo.log", cwd=folder, env=base_environment() | real(folder)).start(wait=False)
        try:
            eventually(lambda: demo.says("--gateway-key"), within=60, what="serving")
            said = demo.output
            assert f"Port {port} is taken" in said
            use(demo, said, folder)
            assert demo.terminate(within=30) == 0
            assert "Traceback" not in demo.output
        finally:
            demo.stop()
    return said


def use(demo: Process, said: str, folder: Path) -> None:
    """Do what a reader of the demonstration's last lines would do."""
    address = re.search(r"front page\s+(http://127\.0\.0\.1:\d+/)", said)
    assert address is not None
    assert httpx2.get(f"{address[1]}_status").json()["status"] == "pass"
    token = re.search(r"ng_authority_\S+", said)
    assert token is not None
    listed = httpx2.get(f"{address[1]}authority/v1/deliveries", headers={"Authorization": f"Bearer {token[0]}"})
    assert listed.status_code == 200
    sending, opening = (re.search(f"^{start}.*$", said, re.MULTILINE) for start in ("curl -i", "notify-gateway authority open"))
    assert sending is not None
    assert opening is not None
    posted = subprocess.run(["/bin/sh", "-c", sending[0]], capture_output=True, text=True, timeout=30)
    assert posted.stdout.startswith("HTTP/1.1 202"), posted
    reference = re.search(r"SEN-\w{8}-\w", posted.stdout)
    assert reference is not None
    eventually(lambda: demo.says(f"{reference[0]} acknowledged"), within=20, what="the pretend authority at work")
    shown = call_outside(*glob_last(opening[0]), folder=folder)
    assert "Who the child is" in shown.out, shown.err
    again = call_outside("demo", "--once", "--data", "demo", folder=folder)
    assert again.status == 1
    assert "runs there already" in again.err


def test_it_touches_no_folder_of_another(call: Call, folder: Path) -> None:
    (folder / "service").mkdir()
    (folder / "service/main.sqlite3").write_bytes(b"precious")
    result = call("demo", "--once", "--data", "service")
    assert result.status == 1
    assert "belongs to something else" in result.err
    assert (folder / "service/main.sqlite3").read_bytes() == b"precious"
    assert [path.name for path in (folder / "service").iterdir()] == ["main.sqlite3"]


def test_the_packaged_message_is_the_example() -> None:
    assert template() == json.loads((ROOT / "examples" / NAME).read_bytes())


@pytest.mark.parametrize("home", [STOCKTON, MIDDLESBROUGH], ids=lambda home: home.gss)
def test_a_fresh_message_shares_no_id_with_another_and_names_nobody_real(home: Home) -> None:
    now = SystemClock().now()
    one, other = (fresh(home, now).text() for _ in range(2))
    ids = [set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)) for text in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert "2026-000123" not in one
    assert NHS_NUMBERS[home].startswith("999")
    assert has_valid_check_digit(NHS_NUMBERS[home])
    assert home.postcode in one
    assert home.gss in one


def real(folder: Path) -> dict[str, str]:
    """Return an environment that describes a real service, of which the demonstration may use nothing."""
    return {
        "NOTIFY_GATEWAY_DEPLOYMENT": "live",
        "NOTIFY_GATEWAY_BASE_URL": "https://gateway.example",
        "NOTIFY_GATEWAY_DATABASE_URL": "postgresql+psycopg://real@127.0.0.1:1/real",
        "NOTIFY_GATEWAY_BROKER_URL": "redis://127.0.0.1:1/0",
        "NOTIFY_GATEWAY_KEYS_DIR": str(folder / "real-keys"),
    }


def glob_last(command: str) -> list[str]:
    """Return the arguments of a printed command, its file pattern resolved as a shell would."""
    arguments = shlex.split(command)[1:]
    return [str(found) for each in arguments for found in (sorted(Path("/").glob(each[1:])) if "*" in each else [each])]
