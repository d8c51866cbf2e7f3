# SPDX-License-Identifier: MIT
"""Faults of our own parts: killed at the moments that matter, asked to end, doubled, fed with poison, told everything again."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from signal import SIGTERM
from threading import Event
from uuid import uuid4

import httpx2
from sqlalchemy import select, update

from notify_gateway.domain.delivery import Hint
from notify_gateway.store.tables import deliveries, envelopes
from tests.faults.stand import PARTS, Stand
from tests.faults.trial import UNDER_WAY, Trial
from tests.support.poison import HOLLOW_MESSAGE, NO_MESSAGES
from tests.support.service import WEBHOOK, issue_codes
from tests.support.services import eventually
from workers.app import KEY_PREFIX, make_celery
from workers.hints import Hinter
from workers.message import MOST_IDS, QUEUES

Inject = Callable[[Stand, Trial], str | None]


def lasts(seconds: float) -> None:
    """Let a fault go on for so long."""
    Event().wait(seconds)


def gateway_before_enqueue(stand: Stand, trial: Trial) -> None:
    """Commit with nobody there to enqueue, kill both gateways, and the scheduler that had not looked yet."""
    with stand.paused(stand.scheduler):
        trial.strikes()
        stand.kill("gateway-1", "gateway-2", "scheduler")
    stand.wait_back("gateway-1", "gateway-2", "scheduler")


def worker_before_post(stand: Stand, trial: Trial) -> None:
    """Let nothing through to the receiver until the worker holds deliveries, kill it, and throw away what it had written."""
    with stand.to_receiver.black_hole():
        trial.let_go()
        eventually(lambda: _claimed(trial) >= UNDER_WAY, within=30, what="deliveries claimed")
        trial.strikes()
        stand.kill("worker")
        stand.to_receiver.cut()


def worker_during_post(stand: Stand, trial: Trial) -> None:
    """Kill the worker while the receiver has kept deliveries and has not answered."""
    with trial.under_way():
        stand.kill("worker")


def worker_after_post(stand: Stand, trial: Trial) -> None:
    """Kill the worker when it has its answers and cannot commit them."""
    with ExitStack() as stack:
        with trial.under_way():
            stack.enter_context(stand.worker_database.black_hole())
        eventually(lambda: stand.receiver.under_way == 0, within=15, what="all answered")
        stand.kill("worker")
        stand.worker_database.cut()


def killed(*names: str) -> Inject:
    """Kill these parts three times, each time when they are back."""

    def inject(stand: Stand, trial: Trial) -> None:
        with trial.under_way():
            stand.kill(*names)
        for share in (0.4, 0.8):
            stand.wait_back(*names)
            trial.wait_answered(share)
            stand.kill(*names)
        stand.wait_back(*names)

    return inject


def everything_killed(stand: Stand, trial: Trial) -> None:
    """Kill all of ours, Redis and PostgreSQL in one instant."""
    with trial.under_way():
        stand.kill(*PARTS)
        stand.redis.kill9()
        stand.postgres.restart()
    stand.wait_back(*PARTS)


def sigterm(stand: Stand, trial: Trial) -> None:
    """Ask all parts to end in the middle of their work; each ends in good order and is started again."""
    before = {name: process.pid for name, process in stand.service.processes.items()}
    with trial.under_way():
        for process in stand.service.processes.values():
            process.signal(SIGTERM)
    for name, process in stand.service.processes.items():
        eventually(lambda name=name, process=process: process.pid != before[name], within=40, what=f"{name} ended")  # type: ignore[misc]
    stand.wait_back(*PARTS)


def two_dispatchers(stand: Stand, trial: Trial) -> None:
    """Run a second scheduler from before the first delivery to the last."""
    with stand.another("schedule"):
        trial.strikes()
        trial.hurry()
        trial.wait_answered(1)
        trial.wait_delivered(1)


def damaged_envelope(stand: Stand, trial: Trial) -> None:
    """Damage what is sealed in one of at least a hundred that meet in the worker; mend it when all others have gone."""
    victim = next(row.notification_id for row in trial.standing().values() if row.authority == WEBHOOK and row.hinted_at is None)
    ours = select(deliveries.c.message_id).where(deliveries.c.notification_id == victim).scalar_subquery()
    card = (envelopes.c.message_id == ours) & (envelopes.c.kind == "card")
    with stand.service.gateway.engine.begin() as connection:
        stored = bytes(connection.execute(select(envelopes.c.stored).where(card)).scalar_one())
        connection.execute(update(envelopes).where(card).values(stored=stored[:-1] + bytes([stored[-1] ^ 1])))
    try:
        trial.strikes()
        trial.hurry()
        trial.wait_answered(1)
        trial.wait_delivered((len(trial.sent) - 1) / len(trial.sent))
        assert trial.standing()[str(victim)].state == "queued", "what is damaged went out"
    finally:
        with stand.service.gateway.engine.begin() as connection:
            connection.execute(update(envelopes).where(card).values(stored=stored))


def poisoned_hints(stand: Stand, trial: Trial) -> None:
    """Put among the true hints what Celery can read and no hinter writes: hollow, of another task, of deliveries that are none."""
    told = {"content-type": "application/json", "content-encoding": "utf-8"}
    forged = json.loads(HOLLOW_MESSAGE) | told | {"body": b64encode(json.dumps([[str(uuid4())], {}, {}]).encode()).decode()}
    _among(stand, trial, [HOLLOW_MESSAGE, json.dumps(forged | {"headers": {"task": "rm", "id": str(uuid4())}}).encode()])
    _hint(stand, [str(uuid4()) for _ in range(10)])


def poisoned_wire(stand: Stand, trial: Trial) -> None:
    """Put among the true hints what is no message at all; the worker has to go on as the process that it was."""
    before = stand.worker.pid
    _among(stand, trial, list(NO_MESSAGES.values()))
    assert stand.worker.alive, "poison ended the worker"
    assert stand.worker.pid == before, "poison ended the worker"


def hints_again(stand: Stand, trial: Trial) -> None:
    """Hint every delivery once more while they go, and all of them once they are gone."""
    trial.strikes()
    for share in (0.0, 0.5, 1.0):
        trial.wait_answered(share)
        _hint(stand, [str(row.id) for row in trial.standing().values()])
    trial.wait_delivered(1)
    _hint(stand, [str(row.id) for row in trial.standing().values()])
    with stand.redis.client() as client:
        eventually(lambda: client.llen(KEY_PREFIX + QUEUES["webhook"]) == 0, within=20, what="all hints taken")


def messages_again(stand: Stand, trial: Trial) -> None:
    """Post every message once more as it was, to the other gateway: each is told that it was accepted, and where."""
    trial.hurry()
    for some in (trial.sent[: trial.at_once], trial.sent[trial.at_once :]):
        for number, sent in enumerate(some):
            again = stand.service.post(sent.message, gateway=number, request_id=sent.request_id)
            assert (again.status_code, issue_codes(again)) == (409, ["NG-6001"])
            assert again.headers["location"].endswith(f"/Task/{sent.task_id}")
        trial.strikes()
        trial.wait_answered(1)


def acknowledged_twice(stand: Stand, trial: Trial) -> None:
    """Confirm and acknowledge again, over and over, what was acknowledged."""
    trial.strikes()
    for share in (0.2, 0.6, 1.0):
        trial.wait_answered(share)
        for delivery_id in [each for each in list(stand.service.collected) if each not in stand.service.unfinished][-60:]:
            for act in ("acknowledge", "acknowledge"):
                try:
                    told = stand.service.authority("POST", f"deliveries/{delivery_id}/{act}")
                except httpx2.TransportError:
                    continue
                assert told.status_code in (200, 409), (told.status_code, told.text)


def _claimed(trial: Trial) -> int:
    rows = trial.standing().values()
    return sum(row.authority == WEBHOOK and row.state == "queued" and row.lease_owner is not None for row in rows)


def _among(stand: Stand, trial: Trial, poison: list[bytes]) -> None:
    """Put this into a queue before the first true hint, and again and again while they come; return when all is taken."""
    queue = KEY_PREFIX + QUEUES["webhook"]
    with stand.redis.client() as client:
        client.lpush(queue, *poison)
        trial.strikes()
        for share in (0.2, 0.5, 0.8):
            trial.wait_answered(share)
            client.lpush(queue, *poison)
        eventually(lambda: client.llen(queue) == 0, within=20, what="everything taken off the queue")


def _hint(stand: Stand, ids: list[str]) -> None:
    hinter = Hinter(make_celery(stand.redis.url))
    try:
        for start in range(0, len(ids), MOST_IDS):
            assert hinter.hint([Hint(WEBHOOK, "webhook", tuple(ids[start : start + MOST_IDS]))])
        eventually(lambda: hinter._waiting.empty(), within=10, what="all hints published")
    finally:
        hinter.close()
