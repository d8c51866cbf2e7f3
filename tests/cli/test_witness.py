# SPDX-License-Identifier: MIT
"""A witness as an ICB runs it: the real command over HTTP, each rule of add-checkpoint, and the whole service cosigned by it."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from audit.cosignature import WitnessVerifier, cosignatures, open_cosigned
from audit.note import Checkpoint, Signer, Verifier, sign_note
from audit.policy import parse_policy
from audit.receipts import parse_receipt
from audit.witness import MAX_REQUEST, Request
from notify_gateway.domain.clock import SystemClock
from notify_gateway.witness import Allowance
from tests.audit.trees import Tree
from tests.cli.conftest import COMMAND, Call
from tests.support.messages import a_message
from tests.support.processes import Process, base_environment
from tests.support.service import RunningService
from tests.support.services import eventually, free_port

LOG = Signer.from_seed("log.example/2026", b"1" * 32)
HONEST, FORKED = Tree(LOG, "entry"), Tree(LOG, "entry", forked_at=5)
NAME = "icb.example/witness"


@dataclass
class RunningWitness:
    """The witness's process, in a folder of its own and without any setting of the service."""

    folder: Path
    vkey: str
    port: int
    process: Process
    client: httpx2.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def verifier(self) -> WitnessVerifier:
        return WitnessVerifier.from_vkey(self.vkey)

    def add(self, body: bytes) -> httpx2.Response:
        return self.client.post(f"{self.url}/add-checkpoint", content=body)

    def wait_ready(self) -> None:
        ping = f"{self.url}/_ping"
        eventually(lambda: self.client.get(ping).status_code == 200, within=30, what="the witness", tolerating=(httpx2.HTTPError,))


def _start(folder: Path, log_vkey: str, call: Call, ending: ExitStack) -> RunningWitness:
    port = free_port()
    made = call("witness", "key", "make", "--name", NAME, "--key-file", folder / "key.json", "--state", folder / "state", "--json")
    command = [
        *COMMAND,
        "witness",
        "serve",
        "--name",
        NAME,
        "--key-file",
        "key.json",
        "--log",
        log_vkey,
        "--state",
        "state",
        "--port",
        port,
    ]
    process = Process([*map(str, command)], name="witness", log=folder / "witness.log", cwd=folder, env=base_environment())
    ending.callback(process.stop)
    process.start(wait=False)
    running = RunningWitness(folder, made.json["vkey"], port, process, ending.enter_context(httpx2.Client(timeout=10)))
    running.wait_ready()
    return running


@pytest.fixture
def witness(folder: Path, call: Call) -> Iterator[RunningWitness]:
    with ExitStack() as ending:
        yield _start(folder, LOG.verifier.vkey, call, ending)


def test_the_protocol_is_kept_over_http(witness: RunningWitness, call: Call) -> None:
    """Each rule of c2sp.org/tlog-witness by its status, in one life of one witness."""
    clock = SystemClock()
    before = int(clock.now().timestamp())
    seen = f"{witness.url}/{sha256(LOG.name.encode()).hexdigest()}/checkpoint"
    assert witness.client.get(seen).status_code == 404
    stranger = Signer.from_seed(LOG.name, b"2" * 32)
    assert witness.add(HONEST.request(0, 8).replace(b"log.example", b"log.unknown")).status_code == 404
    assert witness.add(Request(0, (), sign_note(HONEST.text(8), stranger)).to_bytes()).status_code == 403
    assert witness.add(Request(0, (), f"{HONEST.text(8)}\n{LOG.line(HONEST.text(7))}").to_bytes()).status_code == 403
    assert witness.add(b"nonsense").status_code == 400
    assert witness.add(HONEST.request(0, 8).replace(b"old 0", b"old 9")).status_code == 400
    assert witness.add(b"old 0\n" + b"x" * MAX_REQUEST).status_code == 413
    assert witness.client.post(f"{witness.url}/add-checkpoint", content=iter([b"old 0\n", b"x" * MAX_REQUEST])).status_code == 413
    assert witness.add(Request(0, (bytes(32),), HONEST.note(8)).to_bytes()).status_code == 422
    nothing = sign_note(Checkpoint(LOG.name, 0, bytes(32)).to_text(), LOG)
    assert witness.add(Request(0, (), nothing).to_bytes()).status_code == 422
    assert witness.client.get(f"{witness.url}/add-checkpoint").status_code == 405
    assert witness.client.get(seen).status_code == 404

    first = witness.add(HONEST.request(0, 8))
    assert first.status_code == 200
    cosigned = HONEST.note(8) + first.text
    (found,) = open_cosigned(cosigned, [LOG.verifier], [witness.verifier]).cosignatures
    assert before <= found.at.timestamp() <= clock.now().timestamp()
    kept = witness.client.get(seen)
    assert (kept.status_code, kept.text) == (200, cosigned)

    for body in (HONEST.request(0, 13), HONEST.request(7, 13), FORKED.request(0, 8), HONEST.request(6, 6)):
        conflict = witness.add(body)
        assert (conflict.status_code, conflict.headers["content-type"], conflict.text) == (409, "text/x.tlog.size", "8\n")
    for body in (FORKED.request(8, 8), FORKED.request(8, 13), Request(8, (), HONEST.note(13)).to_bytes()):
        assert witness.add(body).status_code == 422
    assert witness.client.get(seen).text == cosigned
    assert witness.add(HONEST.request(8, 8)).status_code == 200
    assert witness.add(HONEST.request(8, 13)).status_code == 200

    shown = call("witness", "show", "--name", NAME, "--key-file", "key.json", "--state", "state", "--json").json
    assert [(each["origin"], each["size"], each["root"]) for each in shown] == [(LOG.name, 13, HONEST.root(13).hex())]


def test_a_witness_that_is_killed_forgets_nothing_and_signs_no_fork(witness: RunningWitness) -> None:
    assert witness.add(HONEST.request(0, 8)).status_code == 200
    body = HONEST.request(8, 13)
    with socket.create_connection(("127.0.0.1", witness.port)) as asking:
        asking.sendall(f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        state = witness.folder / "state" / f"{sha256(LOG.name.encode()).hexdigest()}.checkpoint"
        eventually(lambda: "\n13\n" in state.read_text(), every=0.0005, what="persisted")
        witness.process.kill9()
    witness.process.start(wait=False)
    witness.wait_ready()
    conflict = witness.add(FORKED.request(8, 13))
    assert (conflict.status_code, conflict.text) == (409, "13\n")
    assert witness.add(FORKED.request(13, 13)).status_code == 422
    assert witness.add(HONEST.request(13, 13)).status_code == 200


def test_who_asks_too_often_is_told_to_wait(witness: RunningWitness) -> None:
    statuses = [witness.add(b"x").status_code for _ in range(120)]
    assert statuses[0] == 400
    assert 429 in statuses


def test_each_address_has_an_allowance_of_its_own() -> None:
    now = 0.0
    allowance = Allowance(per_second=2, at_once=3, clock=lambda: now)
    assert [allowance.take("192.0.2.1") for _ in range(4)] == [True, True, True, False]
    assert allowance.take("192.0.2.2")
    assert [allowance.take(f"2001:db8::{i}") for i in range(4)] == [True, True, True, False]
    now = 0.5
    assert [allowance.take("192.0.2.1") for _ in range(2)] == [True, False]


def test_the_key_is_for_its_owner_alone_and_is_never_made_twice(folder: Path, call: Call) -> None:
    make = ("witness", "key", "make", "--name", NAME, "--key-file", "key.json", "--state", "state")
    made = call(*make)
    assert made.status == 0
    assert stat.S_IMODE(os.stat(folder / "key.json").st_mode) & 0o077 == 0
    assert stat.S_IMODE(os.stat(folder / "state").st_mode) & 0o077 == 0
    assert f"{NAME}+" in made.words
    secret = json.loads((folder / "key.json").read_text())
    assert all(str(value) not in made.words for name, value in secret.items() if name == "seed")
    assert call(*make).status == 1
    (folder / "key.json").rename(folder / "old.json")
    assert call(*make).status == 1  # the memory is still that of the old key


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"--name": "other.example"}, "another name or key"),
        ({"--name": "a name"}, "cannot have this name"),
        ({"--log": "nonsense"}, "verifier key is not right"),
        ({"--state": "elsewhere"}, "was lost"),
        ({"--key-file": "log.json"}, "not the key of a witness"),
        ({"--certificate": "chain.pem"}, "Give both files"),
    ],
)
def test_a_witness_does_not_start_from_what_is_not_its_own(call: Call, change: dict[str, str], told: str) -> None:
    from notify_gateway.privacy.keys import SigningKey, SigningPurpose, save

    assert call("witness", "key", "make", "--name", NAME, "--key-file", "key.json", "--state", "state").status == 0
    save(Path("log.json"), SigningKey.generate(SigningPurpose.LOG))
    options = {
        "--name": NAME,
        "--key-file": "key.json",
        "--log": LOG.verifier.vkey,
        "--state": "state",
        "--port": str(free_port()),
    } | change
    failed = call("witness", "serve", *(word for option in options.items() for word in option))
    assert failed.status == 1
    assert told in failed.words


@pytest.fixture
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


def test_a_whole_service_is_cosigned_by_a_witness_and_outlives_it(witness_of: Callable[[str], RunningWitness], other_folder: Path) -> None:
    policy_file = other_folder / "policy"
    environment = {"NOTIFY_GATEWAY_WITNESS_POLICY": str(policy_file), "NOTIFY_GATEWAY_WITNESS_EVERY": "PT0.1S"}
    service = RunningService(other_folder / "house", environment=environment)
    log_key = service.runtime.public.log
    running = witness_of(log_key.vkey)
    policy_file.write_text(f"log {log_key.vkey}\nwitness icb {running.vkey} {running.url}/\nquorum icb\n")
    policy = parse_policy(policy_file.read_bytes())
    with service:
        accepted = service.post(a_message())
        assert accepted.status_code == 202, accepted.text
        task = accepted.headers["Location"].rsplit("/", 1)[-1]

        def cosigned_receipt() -> str | None:
            _, receipt = service.receipt(task)
            return receipt if policy.judge(parse_receipt(receipt).checkpoint).tally.enough else None

        assert eventually(cosigned_receipt, within=20, what="a cosigned receipt")
        note = service.get("/log/checkpoint").text
        assert policy.judge(note).tally.enough
        assert Verifier.from_vkey(log_key.vkey).name == note.partition("\n")[0]
        assert service.get("/_status").json()["checks"]["witnesses"]["status"] == "pass"

        running.process.kill9()
        assert service.post(a_message()).status_code == 202
        away = eventually(
            lambda: (found := service.get("/_status").json())["checks"]["witnesses"]["status"] == "warn" and found, within=20, what="warned"
        )
        assert away["status"] == "pass"
        assert "icb: cannot be reached since 20" in away["checks"]["witnesses"]["observed"]
        assert cosignatures(service.get("/log/checkpoint").text, [running.verifier])

        running.process.start(wait=False)
        running.wait_ready()
        eventually(lambda: service.get("/_status").json()["checks"]["witnesses"]["status"] == "pass", within=30, what="cosigned again")


@pytest.fixture
def witness_of(folder: Path, call: Call) -> Iterator[Callable[[str], RunningWitness]]:
    with ExitStack() as ending:
        yield lambda log_vkey: _start(folder, log_vkey, call, ending)
