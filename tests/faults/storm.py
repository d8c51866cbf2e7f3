# SPDX-License-Identifier: MIT
"""A storm: honest senders post, an authority collects, and all the while parts of the service are killed; then the reckoning."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from audit.events import read_leaf
from audit.export import verify_export
from audit.merkle import leaf_hash
from audit.reading import export_lines, latest_signed
from audit.receipts import verify_promise, verify_receipt
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.store import shred
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, deliveries, messages, shred_keys
from tests.support.invariants import assert_invariants
from tests.support.messages import Message, a_message
from tests.support.service import DELIVERED, PULL, WEBHOOK, Acceptance, RunningService, a_message_for, issue_codes
from tests.support.services import GaveUpWaiting, eventually

HEALED_WITHIN = 40.0
COLLECTED_WITHIN = 180.0
"""For the authority that collects, one delivery after the other: it is no part of the service."""
SENDERS = 8
ENDS = {PULL: "acknowledged", WEBHOOK: "received"}
"""The end that a delivery of each authority comes to."""
_d = deliveries.c
STANDING = (_d.id, _d.notification_id, _d.authority, _d.state, _d.attempts, _d.due_at, _d.lease_owner, _d.hinted_at, _d.last_code)


@dataclass
class Sent:
    """One notification as its sender knows it."""

    message: Message
    authority: str
    request_id: str = field(default_factory=lambda: str(uuid4()))
    task_id: str | None = None
    acceptance: Acceptance | None = None
    tries: int = 0


class Storm:
    """``count`` notifications, half to each authority, sent at a steady pace over ``seconds`` while ``faults`` strike, drawn from ``seed``.

    Every kind of fault strikes at least once; each is a function that strikes and returns. The first ``at_once`` are sent without a pause.
    """

    def __init__(
        self,
        service: RunningService,
        faults: Mapping[str, Callable[[], None]],
        *,
        seed: int,
        count: int = 500,
        seconds: float = 20.0,
        at_once: int = 0,
        authorities: Sequence[str] = (PULL, WEBHOOK),
    ) -> None:
        self.service, self.faults, self.at_once = service, faults, at_once
        self.seconds, self.pace = seconds, seconds * SENDERS / max(1, count - at_once)
        self.seed, self.random = seed, random.Random(seed)
        chosen = itertools.islice(itertools.cycle(authorities), count)
        self.sent = [Sent(a_message_for(a_message(), authority), authority) for authority in chosen]
        self.opened: dict[tuple[str, bytes], bytes] = {}
        self.struck: list[str] = []
        self.unforeseen: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.healed_at = 0.0
        self._calm = threading.Event()
        self._over = threading.Event()

    def run(self) -> None:
        """Return when all is sent, the last fault has struck and all has healed, or raise ``GaveUpWaiting``."""
        if self.faults:
            print(f"storm: seed {self.seed}, {len(self.sent)} notifications, faults {', '.join(self.faults)}")
        threads = [threading.Thread(target=self._send_all, args=(n,), name=f"sender-{n}") for n in range(SENDERS)]
        collecting = threading.Thread(target=self._collect, name="collector")
        for thread in (*threads, collecting):
            thread.start()
        try:
            self._strike()
            self._calm.set()
            eventually(
                lambda: not any(thread.is_alive() for thread in threads),
                within=HEALED_WITHIN,
                every=0.2,
                what=f"every sender answered; since then {dict(self.waits)}",
            )
            self._heal()
        finally:
            self._over.set()
            for thread in (*threads, collecting):
                thread.join()

    def standing(self) -> dict[str | None, Any]:
        """Return how this storm's own deliveries stand, by Task."""
        own = [UUID(sent.task_id) for sent in self.sent if sent.task_id]
        with reading(self.service.gateway.engine).begin() as connection:
            rows = connection.execute(select(*STANDING).where(deliveries.c.notification_id.in_(own)))
            return {str(row.notification_id): row for row in rows}

    # Senders

    def _send_all(self, number: int) -> None:
        with httpx2.Client(timeout=15) as client:
            for index in range(number, len(self.sent), SENDERS):
                if index >= self.at_once:
                    self._calm.wait(self.pace)
                self._send(self.sent[index], client)

    def _send(self, sent: Sent, client: httpx2.Client) -> None:
        """Send until there is an answer, as an honest sender does: the same bytes under the same ids."""
        while sent.task_id is None and not self._over.is_set():
            port = self.service.ports[sent.tries % len(self.service.ports)]
            sent.tries += 1
            headers = {
                "Authorization": f"Bearer {self.service.trust_token}",
                "Content-Type": "application/fhir+json",
                "X-Request-ID": sent.request_id,
                "X-Correlation-ID": sent.request_id,
            }
            try:
                url = f"http://127.0.0.1:{port}/fhir/R4/$process-message"
                response = client.post(url, content=sent.message.bytes(), headers=headers)
            except httpx2.TransportError:
                self._over.wait(0.2)
                continue
            if response.status_code == 202:
                sent.acceptance = Acceptance.of(response)
                sent.task_id = sent.acceptance.task_id
                continue
            told = _told(response)
            if response.status_code == 409 and told == ["NG-6001"]:
                sent.task_id = response.headers["location"].rsplit("/", 1)[1]
            elif response.status_code == 503:
                self.waits[str(told)] += 1
                self._over.wait(0.3)
            else:
                self.unforeseen[f"{response.status_code} {told}"] += 1
                self._over.wait(0.3)

    def _collect(self) -> None:
        while not self._over.wait(0.1):
            try:
                self.collect()
            except (httpx2.TransportError, AssertionError):
                # The collector comes again, as an authority's machine does.
                self._over.wait(0.5)

    def collect(self) -> None:
        """Fetch what waits for the authority that collects."""
        self.service.collect_all()

    # Faults

    def _strike(self) -> None:
        kinds = list(self.faults)
        self.random.shuffle(kinds)
        plan = [*kinds, *self.random.choices(kinds, k=max(0, int(self.seconds / 1.5) - len(kinds)))]
        for name in plan:
            self._over.wait(self.random.uniform(0.3, 2.0))
            self.struck.append(name)
            self.faults[name]()
        print(f"storm: struck {dict(Counter(self.struck))}")

    def _heal(self) -> None:
        self.wait_all(left, within=HEALED_WITHIN)
        self.healed_at = time.monotonic()
        self.wait_all(finished, within=COLLECTED_WITHIN)

    def wait_all(self, stands: Callable[[Any], bool], *, within: float) -> None:
        """Return when every delivery of the storm stands so; raises ``GaveUpWaiting`` naming those that are lost or late."""
        expected = {sent.task_id for sent in self.sent}
        standing: dict[str | None, Any] = {}

        def done() -> bool:
            standing.update(self.standing())
            return all(task_id in standing and stands(standing[task_id]) for task_id in expected)

        try:
            eventually(done, within=within, every=0.25, what=f"all {len(expected)} {stands.__name__}", tolerating=(SQLAlchemyError,))
        except GaveUpWaiting as error:
            lost = expected - standing.keys()
            late = [row for row in standing.values() if not stands(row)]
            now = self.service.gateway.clock.now()
            raise GaveUpWaiting(f"{error}; lost: {lost}; late: {len(late)}, as {late[:3]}; now: {now}") from None


def left(row: Any) -> bool:
    """Tell whether a delivery has left the service: it lies where the authority fetches it, or the authority has confirmed it."""
    return row.state in DELIVERED


def finished(row: Any) -> bool:
    """Tell whether a delivery has come to the end that its channel has."""
    return bool(row.state == ENDS[row.authority])


# The reckoning


def check(storm: Storm, *, alone: bool = True, in_time: bool = True) -> None:
    """Everything that was promised to a sender or an authority holds; raises ``AssertionError`` naming what does not.

    Without ``alone`` the service has been through other storms before; without ``in_time`` its clock was wrong, and no promise is judged.
    """
    service = storm.service
    assert not storm.unforeseen, f"answers that no honest sender can do anything with: {storm.unforeseen}"
    task_ids = [sent.task_id for sent in storm.sent]
    assert None not in task_ids, "a sender was never answered"
    assert len(set(task_ids)) == len(storm.sent), "two messages share a Task"
    own, accepted = {UUID(task_id) for task_id in task_ids if task_id}, service.accepted()
    assert own == accepted if alone else own <= accepted
    states = Counter(row.state for row in storm.standing().values())
    assert states == Counter(ENDS[sent.authority] for sent in storm.sent)
    if alone:
        assert service.states() == states
        _check_shred_keys(service)
    refused = set(service.receiver.refused)
    assert not refused if in_time else refused <= {"expired", "from-the-future"}, refused
    _check_applied_once(storm)
    _check_log(storm, alone=alone, in_time=in_time)
    if alone:
        assert_invariants(service.gateway)


def _check_applied_once(storm: Storm) -> None:
    """Each authority holds each message that was meant for it once, whole, and none of the other's."""
    service = storm.service
    assert not service.receiver.changed, "a delivery came again with other bytes"
    for authority, held in ((PULL, service.collected), (WEBHOOK, service.receiver.applied)):
        meant = Counter(sent.message.bytes() for sent in storm.sent if sent.authority == authority)
        assert Counter(originals(storm, authority, held.values())) == meant


def originals(storm: Storm, authority: str, documents: Iterable[bytes]) -> list[bytes]:
    """Return the messages as they were posted, opened with the authority's key; the same document is opened once in a storm."""
    found = []
    for document in documents:
        if (authority, document) not in storm.opened:
            opened = open_delivery(json.loads(document), storm.service.keys[authority][0], storm.service.runtime.public.gateway)
            assert opened.original is not None
            storm.opened[authority, document] = opened.original.reveal()
        found.append(storm.opened[authority, document])
    return found


def _check_shred_keys(service: RunningService) -> None:
    """Every message has its key; keys without a message are younger than the sweep's ten minutes, and the sweep takes just those."""
    now = service.gateway.clock.now()
    with reading(service.gateway.engine).begin() as connection:
        held = set(connection.scalars(select(messages.c.id)))
    with reading(service.gateway.shred_engine).begin() as connection:
        keys = {row.message_id: row.created_at for row in connection.execute(select(shred_keys.c.message_id, shred_keys.c.created_at))}
    assert held <= set(keys), "a message lost its shred key"
    orphans = {message: at for message, at in keys.items() if message not in held}
    assert all(now - at < timedelta(minutes=10) for at in orphans.values())
    swept = shred.sweep_orphans(
        service.gateway.shred_engine, service.gateway.engine, since=now - timedelta(days=1), before=now + timedelta(seconds=1)
    )
    assert swept == len(orphans)
    assert service.row_counts()["shred_keys"] == len(held)


def _check_log(storm: Storm, *, alone: bool, in_time: bool) -> None:
    """The log is whole from its leaves up, has every acceptance once and in time, and one of each step for each delivery."""
    service = storm.service
    eventually(lambda: _all_signed(service), within=20, every=0.1, what="everything in the log, and signed")
    with reading(service.gateway.engine).begin() as connection:
        signed = list(export_lines(connection, audit_tables))
        first_signed = list(connection.execute(select(audit_tables.checkpoint.c.size, audit_tables.checkpoint.c.signed_at)))
    leaves: list[bytes] = []
    verdict = verify_export(signed, [service.runtime.public.log], seen=lambda _, leaf: leaves.append(leaf))
    counted = service.row_counts()["audit_leaf"]
    assert verdict.in_full == len(leaves)
    assert len(leaves) == counted if alone else len(leaves) <= counted, "the log holds what its export does not"

    events = [read_leaf(leaf) for leaf in leaves]
    steps: Counter[tuple[str, str]] = Counter((event.tag, event.subject) for event in events)
    for sent in storm.sent:
        assert steps["notification:accepted", str(sent.task_id)] == 1
    if alone:
        assert sum(count for (tag, _), count in steps.items() if tag == "notification:accepted") == len(storm.sent)
    for authority, held in ((PULL, service.collected), (WEBHOOK, service.receiver.applied)):
        wanted = ("delivery:offered", "delivery:received", "delivery:acknowledged") if authority == PULL else ("delivery:received",)
        for delivery_id in held:
            assert steps["delivery:attempted", delivery_id] >= 1
            assert [steps[tag, delivery_id] for tag in wanted] == [1] * len(wanted), (delivery_id, wanted)

    places = {leaf: place for place, leaf in enumerate(leaves)}
    for sent in storm.sent:
        if sent.acceptance is not None:
            promise = verify_promise(sent.acceptance.promise, leaf_hash(sent.acceptance.leaf), service.runtime.public.promises)
            place = places[sent.acceptance.leaf]
            signed_at = min(at for size, at in first_signed if size > place) / 1_000_000
            assert signed_at <= promise.due_at.timestamp() or not in_time, "a promise was broken"
    for sent in _sample(storm.sent, 10):
        leaf, receipt = service.receipt(str(sent.task_id))
        assert verify_receipt(receipt, leaf_hash(leaf), service.runtime.public.log).index == places[leaf]


def _all_signed(service: RunningService) -> bool:
    leaf, pending = audit_tables.leaf.c, audit_tables.pending.c
    with reading(service.gateway.engine).begin() as connection:
        waits = connection.scalar(select(pending.arrival).limit(1))
        last = connection.scalar(select(leaf.idx).order_by(leaf.idx.desc()).limit(1))
        signed = latest_signed(connection, audit_tables)
    return waits is None and last is not None and signed is not None and signed.size > last


def _told(response: httpx2.Response) -> list[str]:
    try:
        return issue_codes(response)
    except (ValueError, KeyError):
        return ["not an answer of ours"]


def _sample(sent: Sequence[Sent], count: int) -> list[Sent]:
    return random.Random(1).sample(list(sent), min(count, len(sent)))
