# SPDX-License-Identifier: MIT
"""The pretend authority is a real receiver: what the gateway signed is kept once, all else is refused, and what waits is collected."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from notify_gateway.domain.clock import SystemClock
from notify_gateway.privacy.keys import SigningKey, SigningPurpose, load, save
from notify_gateway.runtime import GATEWAY_KEY, GATEWAY_PUBLIC
from notify_gateway.use_cases import onboard
from tests.cli.conftest import COMMAND, Call, call_outside
from tests.support.messages import Message
from tests.support.processes import Process, base_environment
from tests.support.service import PULL, WEBHOOK, Acceptance, RunningService, a_message_for
from tests.support.services import answers, eventually, free_port
from workers.channels.signature import RequestSigner

Pretend = Callable[..., "Running"]


class Running:
    """A pretend authority at work."""

    def __init__(self, process: Process, port: int, folder: Path) -> None:
        self.process, self.url = process, f"http://127.0.0.1:{port}/deliveries"
        self._journal = folder / "data/pretend-authority/applied.sqlite3"

    def applied(self) -> dict[str, tuple[str, str | None]]:
        with sqlite3.connect(self._journal) as journal:
            return {row[0]: (row[1], row[2]) for row in journal.execute("select delivery_id, how, acknowledged_at from applied")}

    def arrivals(self) -> int:
        with sqlite3.connect(self._journal) as journal:
            return int(journal.execute("select count(*) from arrivals").fetchone()[0])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with RunningService(tmp_path_factory.mktemp("pretend") / "service") as running:
        yield running


@pytest.fixture
def pretend(service: RunningService, folder: Path) -> Iterator[Pretend]:
    """Starts a pretend authority with the keys and the token of one of the service's authorities."""
    with ExitStack() as ending:

        def start(gss: str, token: str | None, *, with_key: bool = True) -> Running:
            keys = folder / "keys"
            keys.mkdir(exist_ok=True)
            (keys / GATEWAY_PUBLIC).write_bytes((service.settings.keys / GATEWAY_PUBLIC).read_bytes())
            if with_key and not (keys / "authority.key").exists():
                save(keys / "authority.key", service.keys[gss][0])
            if token:
                (keys / "token").write_text(f"{token}\n")
            port = free_port()
            settings = {"BASE_URL": service.base_url, "DATA_DIR": str(folder / "data"), "KEYS_DIR": str(keys)}
            env = base_environment() | {f"NOTIFY_GATEWAY_{name}": value for name, value in settings.items()}
            command = [*COMMAND, "pretend-authority", "--port", str(port), "--poll", "0.2"]
            process = Process(command, name="pretend", log=folder / "pretend.log", cwd=folder, env=env)
            ending.callback(process.stop)
            process.start(wait=False)
            eventually(lambda: answers(f"http://127.0.0.1:{port}/_status"), within=30, what="pretend authority")
            assert call_outside("health", "pretend-authority", "--port", port, folder=folder).status == 0
            return Running(process, port, folder)

        yield start


def _signed(
    service: RunningService,
    url: str,
    body: bytes,
    *,
    delivery_id: str,
    key: SigningKey | None = None,
    sent: bytes | None = None,
    sent_to: str | None = None,
) -> httpx2.Response:
    """Post a body as the gateway would: signed with its key or another, sent as it is or altered, there or elsewhere."""
    key = key or load(service.settings.keys / GATEWAY_KEY, SigningKey)
    signer = RequestSigner(key.kid, key.private)
    headers = signer.headers(url=url, idempotency_key=delivery_id, digest=sha256(body).digest(), now=SystemClock().now())
    return httpx2.post(sent_to or url, content=sent or body, headers=headers)


def test_it_collects_opens_and_acknowledges_naming_no_child(service: RunningService, pretend: Pretend) -> None:
    message = Message()
    accepted = Acceptance.of(service.post(message))
    running = pretend(PULL, service.pull_token)
    eventually(lambda: _state(service, accepted) == "acknowledged", within=20, what="acknowledged")
    said = running.process.output
    for words in ("came by pull", "opened with", "confirmed", "acknowledged"):
        assert f"{accepted.reference} {words}" in said
    assert not [canary for canary in message.canaries if canary in said]
    assert [how for how, acknowledged in running.applied().values() if acknowledged] == ["pull"]
    assert running.process.terminate() == 0


def test_a_webhook_is_kept_once_and_acknowledged(service: RunningService, pretend: Pretend) -> None:
    running = pretend(WEBHOOK, service.webhook_token)
    onboard.register_authority(
        service.gateway, gss=WEBHOOK, custody="authority-held", channel="webhook", route={"url": running.url}, actor="operator"
    )

    def arrives() -> bool:
        probe = Acceptance.of(service.post(a_message_for(Message(), WEBHOOK)))
        eventually(lambda: _state(service, probe) != "queued", within=30, what="delivered")
        return bool(running.applied())

    # For two seconds at most, the worker goes on with the address that it knows.
    eventually(arrives, within=30, every=0.5, what="the new address to be known")
    before = len(running.applied())
    accepted = [Acceptance.of(service.post(a_message_for(Message(), WEBHOOK))) for _ in range(3)]
    for each in accepted:
        eventually(lambda each=each: _state(service, each) == "acknowledged", within=30, what="acknowledged")
    assert {how for how, _ in running.applied().values()} == {"webhook"}
    assert len(running.applied()) == before + 3


def test_the_same_delivery_again_has_no_effect_and_the_same_answer(service: RunningService, pretend: Pretend) -> None:
    running = pretend(PULL, None)
    accepted = Acceptance.of(service.post(Message()))
    document = service.collect(service.offered(accepted.reference))
    delivery_id = json.loads(document)["delivery_id"]
    first, second = (_signed(service, running.url, document, delivery_id=delivery_id) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert (len(running.applied()), running.arrivals()) == (1, 2)
    assert "came again" in running.process.output


def test_what_the_gateway_did_not_sign_is_refused_and_not_kept(service: RunningService, pretend: Pretend) -> None:
    running = pretend(PULL, None)
    name, other = str(uuid4()), SigningKey.generate(SigningPurpose.GATEWAY)
    body = json.dumps({"delivery_id": name, "reference": "x", "event": "new", "envelopes": {}}).encode()
    refused = [
        httpx2.post(running.url, content=body),
        _signed(service, running.url, body, delivery_id=name, key=other),
        _signed(service, running.url, body, delivery_id=name, sent=body + b" "),
        _signed(service, running.url.replace("127.0.0.1", "localhost"), body, delivery_id=name, sent_to=running.url),
        _signed(service, running.url, b"[]", delivery_id=name),
        _signed(service, running.url, body, delivery_id=str(uuid4())),
    ]
    assert [answer.status_code for answer in refused] == [401, 401, 401, 401, 422, 422]
    assert running.applied() == {}
    assert running.process.output.count("webhook refused") == len(refused)


def test_it_waits_while_the_service_is_away_and_says_so_once(service: RunningService, pretend: Pretend) -> None:
    running = pretend(PULL, "not-a-token")
    eventually(lambda: running.process.says("cannot collect for now"), within=20, what="told")
    assert running.process.output.count("cannot collect for now") == 1
    assert running.process.alive


def test_a_live_deployment_has_none(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DEPLOYMENT", "live")
    monkeypatch.setenv("NOTIFY_GATEWAY_BASE_URL", "https://gateway.example")
    result = call("pretend-authority")
    assert result.status == 1
    assert "made-up children" in result.err


def _state(service: RunningService, accepted: Acceptance) -> str:
    return str(service.task(accepted.task_id)["businessStatus"]["coding"][0]["code"])
