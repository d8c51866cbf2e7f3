# SPDX-License-Identifier: MIT
"""The journey of a notification, step by step, as trust and authority see it. Nothing is told that was not seen."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Event as Pause
from typing import Any, TypeVar

import httpx2

from audit.events import Event, read_leaf
from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.reading import read_leaves
from audit.receipts import verify_promise, verify_receipt
from notify_gateway.cli.demo import inboxes
from notify_gateway.cli.demo import message as messages
from notify_gateway.cli.demo.front_door import PATIENCE, Answer, Caller, DemonstrationStopped, codes
from notify_gateway.cli.demo.narrator import Narrator
from notify_gateway.cli.demo.world import Council, World
from notify_gateway.cli.examples.values import traces
from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey, load
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables

T = TypeVar("T")
STATES = ("offered", "received", "acknowledged")


@dataclass(frozen=True, slots=True)
class Journey:
    """Plays the parts of a trust and of an authority's system through HTTP, and tells what comes of it."""

    world: World
    client: httpx2.Client
    narrator: Narrator

    @property
    def trust(self) -> Caller:
        """Return the trust's system."""
        return Caller(self.client, self.world.trust_token)

    @property
    def council(self) -> Caller:
        """Return the collecting authority's system."""
        return Caller(self.client, self.world.collecting.token)

    def play(self) -> None:
        """Play all three parts; raises ``DemonstrationStopped`` where something does not come out as it must."""
        told = self.narrator
        told.chapter("A trust notifies an authority that collects")
        message = messages.fresh(self.world.collecting.home, self._now())
        body = message.bytes()
        answer = self._accepted(body)
        document = self._delivered(answer, traces(message.document))
        self._opened(document, body, answer)
        self._acknowledged(document, answer)
        self._verified(answer)
        told.chapter("A trust notifies an authority with a webhook")
        self._by_webhook()
        told.chapter("A trust forgets to tell the parent first")
        self._refused()
        told.chapter("Early-years teams find notifications in their inboxes")
        self._by_inbox()

    def _accepted(self, body: bytes) -> Answer:
        """The trust posts; the answer holds a promise that can be checked at once."""
        answer = self.trust.notify(body)
        event = read_leaf(answer.leaf)
        told = self.narrator
        told.step("Posted", f"one FHIR message of {len(body):,} bytes; answered 202 in {answer.seconds * 1000:.0f} ms", answer.location)
        told.step(
            "Checked",
            f"against FHIR, the law and the tables: {event.fields['legal_basis']}, for {self.world.collecting.home.council}",
            f"authority {answer.authority}, found by postcode edition {event.fields['edition']!r}",
        )
        promise = verify_promise(answer.promise, leaf_hash(answer.leaf), self._keys()["promises"])
        told.step("Promised", f"a place in the audit log by {promise.due_at:%H:%M:%S} UTC; the gateway's signature holds")
        return answer

    def _delivered(self, answer: Answer, traces: list[str]) -> bytes:
        """The delivery waits for the authority, which fetches it: only the view can be read."""
        told = self.narrator
        task = self._task(answer)
        waiting = _eventually("queued", lambda: self._waiting(answer.reference))
        event = read_leaf(answer.leaf)
        fetched = self.council.get(f"/authority/v1/deliveries/{waiting['delivery_id']}")
        document = fetched.json()
        if (event.fields["view_digest"], [trace for trace in traces if trace.encode() in fetched.content]) != (document["view_digest"], []):
            raise DemonstrationStopped("split", "The view is not what was promised, or identity is in the clear")
        told.step(
            "Split",
            f"into a view of {len(document['view'])} coded fields, and two sealed envelopes",
            f"searched for {len(traces)} names, numbers, dates and words of the family: none is in the clear",
            f"view digest {document['view_digest'][:16]}…, the same as in the log",
        )
        header = json.loads(b64decode(document["envelopes"]["card"]["header"]))
        sizes = ", ".join(f"{kind} {len(b64decode(part['sealed'])):,} bytes" for kind, part in sorted(document["envelopes"].items()))
        told.step(
            "Sealed",
            f"{sizes}; to {len(header['keys'])} keys of the authority",
            ", ".join(f"{key['kid']} ({key['suite']})" for key in header["keys"]),
        )
        index = self._events(event.subject, until=event.tag)[0][0]
        told.step("Committed", f"as {answer.reference}, with its audit entry in the same transaction: log entry {index}", event.sentence())
        state = _state(task)
        told.step("Queued", f"the Task said {state!r} at first, and offers it to the authority now", f"delivery {waiting['delivery_id']}")
        told.step(
            "Delivered",
            f"the authority fetched {len(fetched.content):,} bytes with its own token",
            f"SHA-256 {sha256(fetched.content).hexdigest()}",
        )
        return fetched.content

    def _opened(self, content: bytes, body: bytes, answer: Answer) -> None:
        """The authority opens with its own key file; the original is what the trust posted."""
        council, told = self.world.collecting, self.narrator
        key = load(council.key_file, RecipientPrivateKey)
        opened = open_delivery(json.loads(content), key, load(self.world.gateway_key_file, VerifyingKey))
        if opened.original is None or opened.original.reveal() != body:
            raise DemonstrationStopped("opened", "The original is not what the trust posted")
        told.step(
            "Opened",
            "on the authority's own machine, with a key that the service never had",
            f"key {key.kid}; the original is byte for byte what the trust posted",
        )
        self._keep(council, answer.reference, content)

    def _acknowledged(self, content: bytes, answer: Answer) -> None:
        """The authority confirms the digest, a person acknowledges, and the trust sees both."""
        path, told = f"/authority/v1/deliveries/{json.loads(content)['delivery_id']}", self.narrator
        confirmed = self.council.post(f"{path}/received", {"digest": sha256(content).hexdigest()})
        told.step("Received", f"the authority confirmed the digest; the delivery is {confirmed.json()['state']!r}")
        acknowledged = self.council.post(f"{path}/acknowledge")
        if acknowledged.status_code != 200:
            raise DemonstrationStopped("acknowledged", f"The gateway answered {acknowledged.status_code}")
        task = self._task(answer)
        told.step("Acknowledged", f"by a person there; the trust's Task says {_state(task)!r}, status {task['status']!r}", *_outputs(task))

    def _verified(self, answer: Answer) -> None:
        """The trust checks, without the service, that its notification stands in the log."""
        parameters = _eventually("receipt", lambda: _if_ok(self.trust.get(f"{answer.location}/$receipt")))["parameter"]
        leaf, receipt = b64decode(parameters[0]["valueBase64Binary"]), parameters[1]["valueString"]
        if leaf != answer.leaf:
            raise DemonstrationStopped("receipt", "The receipt is for another entry")
        verdict = verify_receipt(receipt, leaf_hash(leaf), self._keys()["log"])
        self.narrator.step("Receipt", "verified offline, with the log's public key alone", verdict.sentence())
        events = self._events(read_leaf(leaf).subject, until="delivery:acknowledged")
        happened = [f"{index:>5}  {event.at:%H:%M:%S}  {event.tag}" for index, event in events]
        self.narrator.step("In the log", f"{len(happened)} entries tell the whole story", *happened)

    def _by_webhook(self) -> None:
        """The gateway posts to the pretend authority, which verifies, keeps, opens and acknowledges by itself."""
        told, receiving = self.narrator, self.world.receiving
        answer = self.trust.notify(messages.fresh(receiving.home, self._now()).bytes())
        told.step("Posted", f"for {receiving.home.council}; answered 202 in {answer.seconds * 1000:.0f} ms as {answer.reference}")
        task = _eventually("acknowledged", lambda: _acknowledged(self._task(answer)))
        events = self._events(read_leaf(answer.leaf).subject, until="delivery:received")
        received = next(event for _, event in events if event.tag == "delivery:received")
        told.step(
            "Delivered",
            f"by signed webhook at attempt {received.fields['attempt']}; the receiver named the digest of what it keeps",
            f"SHA-256 {received.fields['digest']}",
        )
        told.step("Acknowledged", f"by the pretend authority; the trust's Task says {_state(task)!r}", *_outputs(task))

    def _by_inbox(self) -> None:
        """What waits for people who sign in: the worked examples, among them updates, a withdrawal and a parent who objects."""
        for home, count in inboxes.fill(self.world, self.trust).items():
            custody = "opened by the service's opener" if home is inboxes.MANAGED else "opened in the officers' browsers"
            self.narrator.step("Arrived", f"{count} notifications are in the inbox of {home.council}; cards are {custody}")

    def _refused(self) -> None:
        """The same message without the parent's information is refused, with code, place and fix."""
        body = messages.without_informed_parent(messages.fresh(self.world.collecting.home, self._now())).bytes()
        response, _ = self.trust.post_message(body)
        outcome = response.json()
        if response.status_code != 422:
            raise DemonstrationStopped("refused", f"The gateway answered {response.status_code}")
        issue = outcome["issue"][0]
        where = [f"at {', '.join(issue['expression'])}"] if "expression" in issue else []
        self.narrator.step(
            "Refused", f"422 {', '.join(codes(outcome))}; nothing of it was kept but an audit entry", issue["diagnostics"], *where
        )

    def _waiting(self, reference: str) -> dict[str, Any] | None:
        listed = self.council.get("/authority/v1/deliveries?limit=200").json()["deliveries"]
        return next((each for each in listed if each["reference"] == reference), None)

    def _task(self, answer: Answer) -> dict[str, Any]:
        task: dict[str, Any] = self.trust.get(answer.location).raise_for_status().json()
        return task

    def _keys(self) -> dict[str, Verifier]:
        given = self.client.get("/log/keys").json()
        return {name: Verifier.from_vkey(given[name]) for name in ("log", "promises")}

    def _events(self, notification: str, *, until: str) -> list[tuple[int, Event]]:
        """Return what the log itself says of a notification and its deliveries, once it has an entry with the tag ``until``."""

        def found() -> list[tuple[int, Event]] | None:
            with reading(self.world.runtime.gateway.engine).begin() as connection:
                leaves = read_leaves(connection, audit_tables, start=0, limit=1_000_000)
            events = [(index, read_leaf(leaf)) for index, _, leaf in leaves]
            own = [(index, event) for index, event in events if notification in (event.subject, event.fields.get("notification"))]
            return own if any(event.tag == until for _, event in own) else None

        return _eventually("log", found)

    def _keep(self, council: Council, reference: str, content: bytes) -> Path:
        """Keep the delivery as the authority's system would, so that it can be opened by hand."""
        path = council.folder / "deliveries" / f"{reference}.json"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(content)
        return path

    def _now(self) -> Any:
        return self.world.runtime.gateway.clock.now()


def _eventually(step: str, look: Callable[[], T | None]) -> T:
    """Return what ``look`` finds, once it finds something."""
    pause, until = Pause(), time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > until:
            raise DemonstrationStopped(step, f"Nothing came within {PATIENCE:.0f} seconds")
        pause.wait(0.02)
    return found


def _if_ok(response: httpx2.Response) -> Any:
    return response.json() if response.status_code == 200 else None


def _acknowledged(task: dict[str, Any]) -> dict[str, Any] | None:
    return task if _state(task) == "acknowledged" else None


def _state(task: dict[str, Any]) -> str:
    return str(task["businessStatus"]["coding"][0]["code"])


def _outputs(task: dict[str, Any]) -> list[str]:
    return [f"{each['type']['coding'][0]['code']} at {each['valueDateTime']}" for each in task.get("output", ())]
