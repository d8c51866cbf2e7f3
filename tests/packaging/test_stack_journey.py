# SPDX-License-Identifier: MIT
"""The journey through the compose file's own parts: onboarded by commands, posted through TLS, collected, opened, acknowledged, proved."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.receipts import verify_promise, verify_receipt
from notify_gateway.cli.pretend.command import PRIVATE_KEY, TOKEN
from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey, load
from notify_gateway.privacy.opening import CannotOpen, open_delivery
from tests.leaks.canaries import Evidence, a_canary, search
from tests.leaks.evidence import of_folder, of_redis
from tests.support.answers import Acceptance, issue_codes
from tests.support.compose import NativeStack
from tests.support.messages import EXAMPLE, Message, a_message
from tests.support.processes import Supervisor
from tests.support.services import PostgresServer, PrivateRedis
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(180)

HELD, MANAGED = "E06000004", "E06000002"
ALL_REPLICAS = 8
"""Requests after which each gateway behind the proxy has answered some."""


@dataclass
class Operator:
    """Whoever sets the stack up, by commands in its services' environments; keeps what each side is handed."""

    stack: NativeStack
    folder: Path
    redis: PrivateRedis
    tokens: dict[str, str] = field(default_factory=dict)

    def run(self, service: str, *arguments: object) -> Any:
        """Run a command and return what it prints as JSON."""
        done = self.stack.run(service, "notify-gateway", *map(str, arguments), "--json")
        assert done.returncode == 0, (arguments, done.stderr)
        return json.loads(done.stdout)

    def ask(self, method: str, path: str, *, bearer: str = "", **more: Any) -> httpx2.Response:
        """Call the service through the TLS proxy, whose certificate is verified."""
        headers = {"Authorization": f"Bearer {self.tokens[bearer]}"} if bearer else {}
        headers |= more.pop("headers", {})
        with httpx2.Client(base_url=self.stack.proxy.url, verify=self.stack.proxy.context(), timeout=30) as client:
            return client.request(method, path, headers=headers, **more)

    def post(self, body: bytes, *, request_id: str | None = None) -> httpx2.Response:
        """Post a message as the trust."""
        headers = {
            "Content-Type": "application/fhir+json",
            "Prefer": "wait=5",
            "X-Request-ID": request_id or str(uuid4()),
            "X-Correlation-ID": str(uuid4()),
        }
        return self.ask("POST", "/fhir/R4/$process-message", bearer="RXX", content=body, headers=headers)

    def post_until_accepted(self, body: bytes) -> str:
        """Post as the trust, again and again where the service is away, and return the Task's id."""
        request_id = str(uuid4())

        def accepted() -> str | None:
            answer = self.post(body, request_id=request_id)
            if answer.status_code == 503:
                return None
            assert answer.status_code == 202 or issue_codes(answer) == ["NG-6001"], (answer.status_code, answer.text)
            return str(answer.headers["location"]).rsplit("/", 1)[1]

        return eventually(accepted, within=60, every=0.2, what="an acceptance", tolerating=(httpx2.TransportError,)) or ""

    def task(self, task_id: str) -> dict[str, Any]:
        """Return the Task as the trust sees it."""
        answer = self.ask("GET", f"/fhir/R4/Task/{task_id}", bearer="RXX")
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def acknowledged(self, task_id: str, within: float = 60.0) -> dict[str, Any]:
        """Return the Task once the trust sees that the authority has acknowledged."""

        def found() -> dict[str, Any] | None:
            task = self.task(task_id)
            return task if task["businessStatus"]["coding"][0]["code"] == "acknowledged" else None

        return eventually(found, within=within, every=0.2, what="acknowledged", tolerating=(httpx2.TransportError, AssertionError)) or {}

    def waiting(self, authority: str, reference: str) -> dict[str, Any]:
        """Return what waits for an authority under a reference, once it does."""

        def found() -> list[dict[str, Any]]:
            page = self.ask("GET", "/authority/v1/deliveries?limit=200", bearer=authority).json()
            return [item for item in page["deliveries"] if item["reference"] == reference]

        return eventually(found, within=30, every=0.1, what="a delivery that waits")[0]

    def onboard(self) -> None:
        """Bring a trust, an authority that holds its keys and one in managed custody on to the service."""
        self.run("gateway", "trusts", "register", "RXX", "--name", "Example Community NHS Trust", "--type", "nhs-trust")
        self.tokens["RXX"] = self.run("gateway", "trusts", "token", "RXX")["token"]
        self.run("gateway", "authorities", "register", HELD, "--custody", "authority-held", "--channel", "pull")
        for purpose in ("working", "recovery"):
            out = self.folder / purpose
            made = self.run("pretend-authority", "authority", "key", "make", "--authority", HELD, "--purpose", purpose, "--out", out)
            added = self.run("gateway", "authorities", "key", "add", made["public_file"], "--fingerprint", made["fingerprint"])
        assert added["missing"] == []
        self.run("gateway", "authorities", "register", MANAGED, "--custody", "managed", "--channel", "pull")
        made = self.run("managed-key", "authorities", "key", "make-managed", MANAGED)
        added = self.run("gateway", "authorities", "key", "add", made["public_file"], "--fingerprint", made["fingerprint"])
        assert added["missing"] == []
        for authority in (HELD, MANAGED):
            self.tokens[authority] = self.run("gateway", "authorities", "token", authority)["token"]
        pretend = self.stack.secrets / "pretend-authority"
        (pretend / PRIVATE_KEY).write_bytes((self.folder / "working").read_bytes())
        (pretend / PRIVATE_KEY).chmod(0o400)
        (pretend / TOKEN).write_text(self.tokens[HELD])
        (pretend / TOKEN).chmod(0o400)
        self.stack.restart("pretend-authority")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Operator]:
    redis = PrivateRedis().start()
    folder = tmp_path_factory.mktemp("journey")
    (folder / "authority").mkdir()
    try:
        with NativeStack(folder / "stack", postgres=postgres_server, redis=redis) as stack:
            stack.start()
            made = Operator(stack, folder / "authority", redis)
            made.onboard()
            yield made
    finally:
        redis.stop()


def _verifiers(operator: Operator) -> dict[str, Verifier]:
    published = operator.ask("GET", "/log/keys").json()
    assert published["log"] == operator.run("gateway", "keys", "show")["log"]["verifier"]
    return {name: Verifier.from_vkey(published[name]) for name in ("log", "promises")}


def _said(operator: Operator, *words: str) -> bool:
    """Tell whether the pretend authority has said all of these in one line."""
    (pretend,) = operator.stack.of("pretend-authority")
    return any(all(word in line for word in words) for line in pretend.process.output.splitlines())


def _held(operator: Operator) -> dict[str, tuple[str, bytes]]:
    """Return digest and document of each delivery that the pretend authority holds, by reference."""
    (pretend,) = operator.stack.of("pretend-authority")
    journal = Path(pretend.process.env["NOTIFY_GATEWAY_DATA_DIR"]) / "pretend-authority" / "applied.sqlite3"
    with closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute("select reference, digest, document from applied").fetchall()
    assert max(Counter(row[0] for row in rows).values(), default=0) <= 1
    return {row[0]: (row[1], row[2]) for row in rows}


def test_the_example_goes_from_the_trust_to_the_authority_and_the_trust_sees_it_acknowledged(operator: Operator) -> None:
    body = EXAMPLE.read_bytes()
    answer = operator.post(body)
    acceptance = Acceptance.of(answer)
    assert answer.headers["location"] == f"{operator.stack.proxy.url}/fhir/R4/Task/{acceptance.task_id}"
    assert acceptance.authority == HELD

    task = operator.acknowledged(acceptance.task_id)
    reached = [output["type"]["coding"][0]["code"] for output in task["output"]]
    assert reached == ["offered", "received", "acknowledged"]
    assert _said(operator, acceptance.reference, "opened with working", f"original of {len(body):,} bytes matches")
    eventually(lambda: _said(operator, acceptance.reference, "acknowledged"), what="the authority's own word for it")

    digest, document = _held(operator)[acceptance.reference]
    assert hashlib.sha256(document).hexdigest() == digest
    gateway_key = load(operator.stack.secrets / "keys" / "gateway.pub.json", VerifyingKey)
    for purpose in ("working", "recovery"):
        opened = open_delivery(json.loads(document), load(operator.folder / purpose, RecipientPrivateKey), gateway_key)
        assert opened.original is not None
        assert opened.original.reveal() == body
    stranger = load(operator.stack.secrets / "opener" / f"{MANAGED}.key.json", RecipientPrivateKey)
    with pytest.raises(CannotOpen):
        open_delivery(json.loads(document), stranger, gateway_key)


def test_promise_and_receipt_of_an_acceptance_verify_with_the_published_keys(operator: Operator, tmp_path: Path) -> None:
    acceptance = Acceptance.of(operator.post(a_message().bytes()))
    keys = _verifiers(operator)
    digest = leaf_hash(acceptance.leaf)
    assert acceptance.receipt is not None, "the log did not take it up within five seconds"
    verify_promise(acceptance.promise, digest, keys["promises"])
    verify_receipt(acceptance.receipt, digest, keys["log"])
    fetched = operator.ask("GET", f"/fhir/R4/Task/{acceptance.task_id}/$receipt", bearer="RXX").json()["parameter"]
    verify_receipt(next(part["valueString"] for part in fetched if "valueString" in part), digest, keys["log"])

    (tmp_path / "leaf").write_bytes(acceptance.leaf)
    (tmp_path / "receipt").write_text(acceptance.receipt)
    files = ("--receipt", tmp_path / "receipt", "--leaf", tmp_path / "leaf")
    assert operator.run("gateway", "audit", "verify", "receipt", "--key", keys["log"].vkey, *files)["in_order"] is True


def test_a_managed_authority_is_shown_a_card_by_the_opener_and_the_log_says_why_first(operator: Operator) -> None:
    message = a_canary(MANAGED)
    reference = Acceptance.of(operator.post(message.bytes())).reference
    delivery_id = operator.waiting(MANAGED, reference)["delivery_id"]
    path = f"/authority/v1/deliveries/{delivery_id}/reveal"
    why = {"reason": "contact-family", "case_reference": "EY/2026-117"}

    refusals = [operator.ask("POST", path, bearer=who, json=said) for who, said in ((MANAGED, {}), (HELD, why), ("", why))]
    assert [(each.status_code, *issue_codes(each)) for each in refusals[:2]] == [(409, "NG-7006"), (404, "NG-7003")]
    assert refusals[2].status_code == 401
    for _ in range(ALL_REPLICAS):
        shown = operator.ask("POST", path, bearer=MANAGED, json=why)
        assert shown.status_code == 200, shown.text
        assert shown.json()["card"]["child"]["nhs_number"] == message.number
        assert shown.headers["cache-control"] == "no-store"

    told = operator.run("gateway", "audit", "show", reference)
    grants = [event for event in told if event["event"] == "reveal:granted"]
    openings = [event for event in told if event["event"] == "envelope:opened"]
    assert len(grants) == len(openings) == ALL_REPLICAS
    assert {each["words"] for each in operator.run("gateway", "audit", "details", reference)} == {why["case_reference"]}
    assert {event["actor"] for event in openings} == {"opener"}
    granted = {event["fields"]["grant"]: event["index"] for event in grants}
    assert all(granted[event["fields"]["grant"]] < event["index"] for event in openings)


def test_without_the_opener_nothing_is_shown_and_all_else_goes_on(operator: Operator) -> None:
    reference = Acceptance.of(operator.post(a_canary(MANAGED).bytes())).reference
    path = f"/authority/v1/deliveries/{operator.waiting(MANAGED, reference)['delivery_id']}/reveal"
    why = {"reason": "contact-family", "case_reference": "EY/2026-118"}
    (opener,) = operator.stack.of("opener")
    opener.process.kill9(group=True)
    assert operator.ask("POST", path, bearer=MANAGED, json=why).status_code == 503
    assert operator.acknowledged(Acceptance.of(operator.post(a_message().bytes())).task_id)
    opener.process.start(wait=False)
    again = partial(operator.ask, "POST", path, bearer=MANAGED, json=why)
    eventually(lambda: again().status_code == 200, within=30, every=0.2, what="the opener back")


def test_a_managed_key_is_made_once_and_never_overwritten(operator: Operator) -> None:
    folder = operator.stack.secrets / "opener"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(before) == {f"{MANAGED}.key.json", f"{MANAGED}.pub"}
    assert (folder / f"{MANAGED}.key.json").stat().st_mode & 0o777 == 0o400
    for refused in (MANAGED, "Middlesbrough", "../E06000002"):
        done = operator.stack.run("managed-key", "notify-gateway", "authorities", "key", "make-managed", refused)
        assert done.returncode == 1
        assert "Fix:" in done.stderr
        assert "Traceback" not in done.stderr
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_killed_gateway_and_worker_in_the_middle_lose_nothing_and_nothing_is_applied_twice(operator: Operator) -> None:
    messages = [a_message() for _ in range(24)]
    tasks: list[str] = []

    def post(mine: list[Message]) -> None:
        for message in mine:
            tasks.append(operator.post_until_accepted(message.bytes()))

    with operator.stack.supervised() as supervisor:
        threads = [threading.Thread(target=post, args=(messages[start::3],)) for start in range(3)]
        for thread in threads:
            thread.start()
        for number, name in enumerate(("gateway-1", "worker-1", "gateway-2", "worker-1"), 1):
            eventually(partial(_holds, tasks, 3 * number), within=60, what="some accepted")
            _kill(operator, supervisor, name)
        for thread in threads:
            thread.join(120)
        assert len(set(tasks)) == len(messages)
        for task_id in tasks:
            operator.acknowledged(task_id)
        for name in ("gateway-1", "gateway-2", "worker-1"):
            eventually(operator.stack.instances[name].healthy, within=60, every=0.2, what=f"{name} healthy again")
    references = {operator.task(task_id)["identifier"][0]["value"] for task_id in tasks}
    assert len(references & set(_held(operator))) == len(messages)


def _holds(tasks: list[str], count: int) -> bool:
    return len(tasks) >= count


def _kill(operator: Operator, supervisor: Supervisor, name: str) -> None:
    before = supervisor.restarts[name]
    operator.stack.instances[name].process.kill9(group=True)
    eventually(lambda: supervisor.restarts[name] > before, within=20, what=f"{name} started again")


def test_nobody_in_the_middle_writes_down_who_the_child_is(operator: Operator) -> None:
    held, managed = a_canary(HELD), a_canary(MANAGED)
    operator.acknowledged(Acceptance.of(operator.post(held.bytes())).task_id)
    reference = Acceptance.of(operator.post(managed.bytes())).reference
    path = f"/authority/v1/deliveries/{operator.waiting(MANAGED, reference)['delivery_id']}/reveal"
    assert "Vorpalstone" in operator.ask("POST", path, bearer=MANAGED, json={"reason": "safeguarding", "case_reference": "A1"}).text
    assert operator.post(a_canary().without("parent-informed").bytes()).status_code == 422
    assert operator.post(held.bytes()[:-9]).status_code == 400
    assert operator.ask("GET", "/fhir/R4/Patient?family=Vorpalstone", bearer="RXX").status_code == 404

    stack = operator.stack
    for instance in stack.instances.values():
        if instance.service not in {"migrate", "load-postcodes", "managed-key"}:
            assert instance.process.output, f"{instance.name} has said nothing, so that nothing was searched"
    said = [Evidence("what was written", stack.output().encode())]
    volumes = [Path(stack.of(name)[0].process.env["NOTIFY_GATEWAY_DATA_DIR"]) for name in ("pretend-authority", "sequencer")]
    assert all(any(volume.iterdir()) for volume in volumes)
    kept = [*of_redis(operator.redis), *(each for folder in (stack.folder / "roots", *volumes) for each in of_folder(folder))]
    assert search([*said, *kept]) == []
    assert search([Evidence("planted", stack.output().encode() + b"vorpalstone")]) != []
    assert stack.written_outside_volumes() == []


def test_a_browser_sees_the_front_page_and_nobody_outside_the_metrics(operator: Operator) -> None:
    seen = {path: operator.ask("GET", path) for path in ("/", "/static/site.css", "/openapi.json", "/log/checkpoint", "/metrics")}
    assert {path: answer.status_code for path, answer in seen.items()} == {path: 404 if path == "/metrics" else 200 for path in seen}
    assert seen["/"].headers["content-type"] == "text/html; charset=utf-8"
    assert "/metrics" not in seen["/"].text
    assert seen["/metrics"].json()["resourceType"] == "OperationOutcome"


def test_whoever_does_not_know_the_certificate_gets_no_connection(operator: Operator) -> None:
    with pytest.raises(httpx2.ConnectError) as refusal:
        httpx2.get(f"{operator.stack.proxy.url}/_ping", verify=ssl.create_default_context())
    assert "CERTIFICATE_VERIFY_FAILED" in str(refusal.value)
