# SPDX-License-Identifier: MIT
"""The reckoning after a storm notices each single loss, duplicate and forgery: a storm that passes has passed something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, bindparam, delete, select, text, update

from audit.events import Event
from audit.export import ExportRefused
from audit.log import append
from notify_gateway.store.tables import audit_tables, deliveries, shred_keys
from tests.faults.storm import Storm, check
from tests.support.service import PULL, RunningService


def test_the_reckoning_passes_a_whole_service_and_notices_every_kind_of_loss_and_doubling(service: RunningService) -> None:
    storm = Storm(service, {"nothing": lambda: None}, seed=1, count=8, seconds=1.5)
    storm.run()
    check(storm)

    for spoil in (
        lose_an_applied_delivery,
        apply_twice_under_another_id,
        change_a_repeated_delivery,
        invent_an_acceptance,
        answer_with_500,
    ):
        mend = spoil(storm)
        with pytest.raises(AssertionError):
            check(storm)
        mend()
        check(storm)
    for ruin in (let_a_delivery_wait, forget_a_shred_key, log_an_acceptance_twice):
        mend = ruin(storm)
        with pytest.raises(AssertionError):
            check(storm)
        mend()
    rewrite_a_leaf(storm)
    with pytest.raises(ExportRefused):
        check(storm)


Mend = Callable[[], object]


def lose_an_applied_delivery(storm: Storm) -> Mend:
    delivery_id, document = storm.service.receiver.applied.popitem()
    return lambda: storm.service.receiver.applied.update({delivery_id: document})


def apply_twice_under_another_id(storm: Storm) -> Mend:
    extra, held = str(uuid4()), storm.service.collected
    held[extra] = next(iter(held.values()))
    return lambda: held.pop(extra)


def change_a_repeated_delivery(storm: Storm) -> Mend:
    storm.service.receiver.changed.append("x")
    return storm.service.receiver.changed.clear


def invent_an_acceptance(storm: Storm) -> Mend:
    sent = storm.sent[0]
    before, sent.task_id = sent.task_id, str(uuid4())
    return lambda: setattr(sent, "task_id", before)


def answer_with_500(storm: Storm) -> Mend:
    storm.unforeseen["500"] += 1
    return storm.unforeseen.clear


@contextmanager
def unguarded(storm: Storm) -> Iterator[Connection]:
    """A transaction in which the database's own guards are taken off, as a database administrator can."""
    with storm.service.gateway.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


def let_a_delivery_wait(storm: Storm) -> Mend:
    chosen = deliveries.c.notification_id == UUID(storm.sent[0].task_id)
    with unguarded(storm) as connection:
        before = connection.scalar(select(deliveries.c.state).where(chosen))
        connection.execute(update(deliveries).where(chosen).values(state="given-up"))

    def mend() -> None:
        with unguarded(storm) as connection:
            connection.execute(update(deliveries).where(chosen).values(state=before))

    return mend


def forget_a_shred_key(storm: Storm) -> Mend:
    with storm.service.gateway.shred_engine.begin() as connection:
        row = connection.execute(select(shred_keys).limit(1)).one()
        connection.execute(delete(shred_keys).where(shred_keys.c.message_id == row.message_id))

    def mend() -> None:
        with storm.service.gateway.shred_engine.begin() as connection:
            connection.execute(shred_keys.insert(), [dict(row._mapping)])

    return mend


def log_an_acceptance_twice(storm: Storm) -> Mend:
    subject = str(storm.sent[0].task_id)
    with storm.service.gateway.engine.begin() as connection:
        fields = {"authority": PULL, "event": "new", "sender": "RXX", "reference": "SEN-00000000-0", "view_digest": "0" * 64}
        fields |= {"legal_basis": "section-23", "edition": "x", "pseudonym": "u.x"}
        event = Event("notification:accepted", at=storm.service.gateway.clock.now(), actor="RXX", subject=subject, fields=fields)
        append(connection, audit_tables, [event])
    return lambda: None  # what is in the log stays there: from here on the log alone is looked at


def rewrite_a_leaf(storm: Storm) -> None:
    leaf = audit_tables.leaf.c
    with unguarded(storm) as connection:
        row = connection.execute(select(leaf.idx, leaf.leaf).order_by(leaf.idx).limit(1)).one()
        forged = bytes(row.leaf).replace(b'"actor":"operator"', b'"actor":"nobody"')
        assert forged != bytes(row.leaf)
        connection.execute(update(audit_tables.leaf).where(leaf.idx == row.idx).values(leaf=bindparam("forged")), {"forged": forged})
