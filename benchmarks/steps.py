# SPDX-License-Identifier: MIT
"""Where the time goes: CPU of each step of the front door, and CPU and time of each transaction by the size of its group.

The steps are the service's own, run by its own ``prepare``; each is measured where it is called.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from audit.receipts import make_promise
from benchmarks.front_door import FrontDoor, measure_front_door
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.fhir import structure
from notify_gateway.runtime import Runtime, open_sequencer
from notify_gateway.settings import Settings
from notify_gateway.store import group_commit
from notify_gateway.store.acceptance import Acceptance
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client, find_client
from notify_gateway.use_cases import deliver, examine, prepare, split, tell
from workers.channels.signature import RequestSigner

SIZES = (1, 4, 16, 64)
DELIVERIES = 64
STEPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (examine, ("take_in", "read_message", "judge", "route")),
    (prepare, ("split_identity",)),
    (tell, ("prepare_leaf",)),
    (structure, ("links_if_plain", "broken_invariants")),
    (split, ("build_view", "search", "card_plaintext", "seal")),
)
WITHIN = {"build_view": "split_identity", "search": "split_identity", "card_plaintext": "split_identity", "seal": "split_identity"}


@dataclass(frozen=True)
class Cost:
    """CPU of the calling thread and time on the clock, both in microseconds per message."""

    cpu_us: float
    wall_us: float


@dataclass(frozen=True)
class Steps:
    """Costs by name of the step; those of ``WITHIN`` are part of another. ``commit`` is by size of the group."""

    front_door: FrontDoor
    prepare: dict[str, Cost]
    commit: dict[int, Cost]
    deliver: dict[str, Cost]


def measure_steps(settings: Settings, client_code: str, bodies: Sequence[bytes]) -> Steps:
    """Put the messages through the parts of the service, in this process, without servers of its own in between.

    ``settings`` name a service that was set up and does not run; it takes ``client_code``'s messages.
    """
    runtime = Runtime.open(settings)
    try:
        structure.warm_up()
        with reading(runtime.gateway.engine).begin() as connection:
            client = find_client(connection, kind="trust", code=client_code)
        if client is None:
            raise ValueError("no such trust on the service")
        front_door = measure_front_door(runtime.gateway, client, rounds=len(bodies))
        prepared, costs = _prepare_all(runtime, client, bodies)
        return Steps(front_door, costs, _commit_all(runtime, prepared), _deliver_all(runtime, settings))
    finally:
        runtime.close()


def _prepare_all(runtime: Runtime, client: Client, bodies: Sequence[bytes]) -> tuple[list[Acceptance], dict[str, Cost]]:
    received = [prepare.Received(PrivateBytes(body), client, uuid4(), uuid4()) for body in bodies]
    prepare.prepare(runtime.gateway, received[0])  # what is made once per process is not a cost of each message
    with _watched() as costs:
        watch = Stopwatch()
        prepared = [prepare.prepare(runtime.gateway, each, check=structure.check_structure) for each in received]
        whole = watch.per(len(bodies))
    promise = Stopwatch()
    for each in prepared:
        make_promise(
            *runtime.promise_signers, origin=runtime.gateway.settings.log_origin, leaf_hash=each.leaf.leaf_hash, accepted_at=each.at
        )
    steps = {name: Cost(sum(c) / len(bodies), sum(w) / len(bodies)) for name, (c, w) in costs.items()}
    rest = whole.cpu_us - sum(cost.cpu_us for name, cost in steps.items() if name not in WITHIN)
    rest_wall = whole.wall_us - sum(cost.wall_us for name, cost in steps.items() if name not in WITHIN)
    return prepared, steps | {"rest": Cost(rest, rest_wall), "prepare": whole, "promise": promise.per(len(bodies))}


def _commit_all(runtime: Runtime, prepared: Sequence[Acceptance]) -> dict[int, Cost]:
    costs, waiting = {}, iter(prepared)
    share = len(prepared) // len(SIZES)
    for size in SIZES:
        groups = [[next(waiting) for _ in range(min(size, share))] for _ in range(max(1, share // size))]
        watch = Stopwatch()
        for group in groups:
            group_commit.commit_group(runtime.gateway.engine, runtime.gateway.shred_engine, group)
        costs[size] = watch.per(sum(map(len, groups)))
    return costs


def _deliver_all(runtime: Runtime, settings: Settings) -> dict[str, Cost]:
    gateway, owner = runtime.gateway, deliver.new_owner()
    signer = RequestSigner(gateway.signing_key.kid, gateway.signing_key.private)
    hints = deliver.find_due(gateway, batch=DELIVERIES)
    batches = [[UUID(each) for each in hint.ids] for hint in hints]
    count = sum(map(len, batches))

    watch = Stopwatch()
    begun = [deliver.begin_attempts(gateway, ids, owner=owner) for ids in batches]
    costs = {"claim and compose": watch.per(count)}

    watch = Stopwatch()
    for each in (each for outgoing in begun for each in outgoing):
        digest = hashlib.sha256(each.document).digest()
        signer.headers(url=each.route.get("url", ""), idempotency_key=str(each.delivery_id), digest=digest, now=gateway.clock.now())
    costs["sign the request"] = watch.per(count)

    watch = Stopwatch()
    for outgoing in begun:
        received = [
            AttemptResult(each.delivery_id, each.attempt, AttemptOutcome.RECEIVED, "received", digest="0" * 64) for each in outgoing
        ]
        deliver.finish_attempts(gateway, received, owner=owner)
    costs["record"] = watch.per(count)

    sequencer = open_sequencer(settings)
    watch = Stopwatch()
    while sequencer.run_once():
        pass
    costs["sequence and sign the log"] = watch.per(count)
    sequencer.close()
    return costs


class Stopwatch:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.thread_time(), time.perf_counter()

    def per(self, count: int) -> Cost:
        """Return what was spent until now, for each of ``count``."""
        return Cost((time.thread_time() - self._cpu) * 1e6 / count, (time.perf_counter() - self._wall) * 1e6 / count)


@contextmanager
def _watched() -> Iterator[dict[str, tuple[list[float], list[float]]]]:
    """Give the costs of every call of a step while the block runs: CPU and wall, in microseconds, by name."""
    costs: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))

    def watched(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            watch = Stopwatch()
            result = step(*arguments, **keywords)
            cost = watch.per(1)
            costs[name][0].append(cost.cpu_us)
            costs[name][1].append(cost.wall_us)
            return result

        return call

    with ExitStack() as stack:
        for module, names in STEPS:
            for name in names:
                stack.enter_context(patch.object(module, name, watched(name, getattr(module, name))))
        yield costs
