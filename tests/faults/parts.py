# SPDX-License-Identifier: MIT
"""Faults of our own parts: killed at the moments that matter, asked to end, doubled, fed with poison, told everything again."""

from __future__ import annotations

import json
from collections.abc import Callable
from signal import SIGTERM
from threading import Event
from uuid import uuid4

import httpx2
from sqlalchemy import select, update

from notify_gateway.domain.delivery import Hint
from notify_gateway.store.tables import deliveries, envelopes
from tests.faults.stand import PARTS, Stand
from tests.faults.table import Trial
from tests.support.service import WEBHOOK, issue_codes
from tests.support.services import eventually
from workers.app import KEY_PREFIX, make_celery
from workers.hints import Hinter
from workers.message import MOST_IDS, QUEUE

Inject = Callable[[Stand, Trial], str | None]
UNDER_WAY = 10
"""Deliveries that a worker has in hand when it is killed, at least."""


def lasts(seconds: float) -> None:
    """Let a fault go on for so long."""
    Event().wait(seconds)


def gateway_before_enqueue(stand: Stand, trial: Trial) -> None:
    """Commit with nobody there to enqueue, kill both gateways, and the scheduler that had not looked yet."""
    with stand.paused(stand.scheduler):
        trial.wait_answered(0.6)
        stand.kill("gateway-1", "gateway-2", "scheduler")
    stand.wait_back("gateway-1", "gateway-2", "scheduler")


def worker_before_post(stand: Stand, trial: Trial) -> None:
    """Let nothing through to the receiver until the worker holds deliveries, kill it, and throw away what it had written."""
    with stand.to_receiver.black_hole():
        eventually(lambda: _claimed(trial) >= UNDER_WAY, within=30, what="deliveries claimed")
        stand.kill("worker")
        stand.to_receiver.cut()


def worker_during_post(stand: Stand, trial: Trial) -> None:
    """Kill the worker while the receiver has kept deliveries and has not answered."""
    _hold(stand)
    stand.kill("worker")
    stand.receiver.holding = False


def worker_after_post(stand: Stand, trial: Trial) -> None:
    """Kill the worker when it has its answers and cannot commit them."""
    _hold(stand)
    with stand.worker_database.black_hole():
        stand.receiver.holding = False
        eventually(lambda: stand.receiver.under_way == 0, within=15, what="all answered")
        stand.kill("worker")
        stand.worker_database.cut()


def killed(*names: str) -> Inject:
    """Kill these parts three times, each time when they are back."""

    def inject(stand: Stand, trial: Trial) -> None:
        for share in (0.3, 0.5, 0.7):
            trial.wait_answered(share)
            stand.kill(*names)
            stand.wait_back(*names)

    return inject


def everything_killed(stand: Stand, trial: Trial) -> None:
    """Kill all of ours, Redis and PostgreSQL in one instant."""
    trial.wait_answered(0.5)
    stand.kill(*PARTS)
    stand.redis.kill9()
    stand.postgres.restart()
    stand.wait_back(*PARTS)


def sigterm(stand: Stand, trial: Trial) -> None:
    """Ask all parts to end in the middle of their work; each ends in good order and is started again."""
    trial.wait_answered(0.4)
    before = {name: process.pid for name, process in stand.service.processes.items()}
    for process in stand.service.processes.values():
        process.signal(SIGTERM)
    for name, process in stand.service.processes.items():
        eventually(lambda name=name, process=process: process.pid != before[name], within=40, what=f"{name} ended")  # type: ignore[misc]
    stand.wait_back(*PARTS)


def two_dispatchers(stand: Stand, trial: Trial) -> None:
    """Run a second scheduler from before the first delivery to the last."""
    with stand.another("schedule"):
        trial.hurry()
        trial.wait_answered(1)
        trial.wait_delivered(1)


def damaged_envelope(stand: Stand, trial: Trial) -> None:
    """Damage what is sealed in one of at least a hundred that meet in the worker; mend it when all others have gone."""
    with stand.paused(stand.scheduler):
        trial.wait_answered(max(0.25, min(1.0, 100 / len(trial.sent))))
        victim = next(row.notification_id for row in trial.standing().values() if row.state == "queued" and row.hinted_at is None)
        ours = select(deliveries.c.message_id).where(deliveries.c.notification_id == victim).scalar_subquery()
        card = (envelopes.c.message_id == ours) & (envelopes.c.kind == "card")
        with stand.service.gateway.engine.begin() as connection:
            stored = bytes(connection.execute(select(envelopes.c.stored).where(card)).scalar_one())
            connection.execute(update(envelopes).where(card).values(stored=stored[:-1] + bytes([stored[-1] ^ 1])))
    try:
        trial.hurry()
        trial.wait_answered(1)
        trial.wait_delivered((len(trial.sent) - 1) / len(trial.sent))
        assert trial.standing()[str(victim)].state == "queued", "what is damaged went out"
    finally:
        with stand.service.gateway.engine.begin() as connection:
            connection.execute(update(envelopes).where(card).values(stored=stored))


def poisoned_hints(stand: Stand, trial: Trial) -> None:
    """Put into the queue what no hinter writes, among the true hints; what cannot even be read as JSON costs the worker a start each."""
    poison = [b"no json", b"[]", b"{}", b"\xff\xfe", json.dumps({"body": "bm8=", "headers": {}, "properties": {}}).encode()]
    poison.append(json.dumps({"body": [[str(uuid4())], {}, {}], "content-type": "application/json", "headers": {"task": "rm"}}).encode())
    trial.wait_answered(0.5)
    with stand.redis.client() as client:
        client.lpush(KEY_PREFIX + QUEUE, *poison)
    _hint(stand, [str(uuid4()) for _ in range(10)])


def hints_again(stand: Stand, trial: Trial) -> None:
    """Hint every delivery once more while they go, and all of them once they are gone."""
    for share in (0.3, 0.6, 1.0):
        trial.wait_answered(share)
        _hint(stand, [str(row.id) for row in trial.standing().values()])
    trial.wait_delivered(1)
    _hint(stand, [str(row.id) for row in trial.standing().values()])
    with stand.redis.client() as client:
        eventually(lambda: client.llen(KEY_PREFIX + QUEUE) == 0, within=20, what="all hints taken")


def messages_again(stand: Stand, trial: Trial) -> None:
    """Post every message once more as it was, to the other gateway: each is told that it was accepted, and where."""
    trial.hurry()
    trial.wait_answered(1)
    for number, sent in enumerate(trial.sent):
        again = stand.service.post(sent.message, gateway=number, request_id=sent.request_id)
        assert (again.status_code, issue_codes(again)) == (409, ["NG-6001"])
        assert again.headers["location"].endswith(f"/Task/{sent.task_id}")


def acknowledged_twice(stand: Stand, trial: Trial) -> None:
    """Confirm and acknowledge again, over and over, what was acknowledged."""
    trial.hurry()
    for share in (0.4, 0.7, 1.0):
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


def _hold(stand: Stand) -> None:
    stand.receiver.held, stand.receiver.holding = 0, True
    eventually(lambda: stand.receiver.held >= UNDER_WAY, within=30, what="deliveries kept and not answered")


def _hint(stand: Stand, ids: list[str]) -> None:
    hinter = Hinter(make_celery(stand.redis.url))
    try:
        for start in range(0, len(ids), MOST_IDS):
            assert hinter.hint([Hint(WEBHOOK, "webhook", tuple(ids[start : start + MOST_IDS]))])
        eventually(lambda: hinter._waiting.empty(), within=10, what="all hints published")
    finally:
        hinter.close()
