# SPDX-License-Identifier: MIT
"""A day's work of a house: a notification in each state that there is, all of it in the signed log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Executable, delete, insert, select, text

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.retention import ErasureReason
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import metadata, shred_keys
from notify_gateway.use_cases import collect, deliver, erase, feedback
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House

LIVING = (
    "notifications",
    "messages",
    "envelopes",
    "ages",
    "deliveries",
    "delivery_steps",
    "erasures",
    "erased_messages",
    "audit_pending",
    "audit_leaf",
)


def work(house: House) -> None:
    """Have each state come about within a quarter of an hour, and two that are just accepted; all that was told is in the signed log."""
    update, moving, gone = a_message(), a_message(), a_message()
    erased = house.accept(a_message())
    for message in (update, moving, gone, a_message()):
        house.accept(message)
    others = [house.accept(a_message()).reference for _ in range(3)]
    hand_over(house, AttemptOutcome.OFFERED)
    house.accept(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
    hand_over(house, AttemptOutcome.RECEIVED)
    pause(house)
    taken = [item.id for item in collect.list_waiting(house.gateway, authority=STOCKTON, limit=50) if item.reference in others]
    for delivery in taken:
        take_up(house, delivery)
    today = house.clock.now().date()
    feedback.record_contact(house.gateway, authority=STOCKTON, delivery_id=taken[0], on=today)
    feedback.record_outcome(house.gateway, authority=STOCKTON, delivery_id=taken[0], outcome="early-years-support", on=today)
    feedback.send_back(house.gateway, authority=STOCKTON, delivery_id=taken[1], reason="moved", suggested=None)
    pause(house)
    house.accept(update.followed_by("update"))
    house.accept(moving.followed_by("update").for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
    house.accept(gone.followed_by("delete"))
    withdrawn_at_once = a_message()
    house.accept(withdrawn_at_once)
    house.accept(withdrawn_at_once.followed_by("delete"))
    reason = ErasureReason.SUBJECT_REQUEST
    erase.erase(house.gateway, reference=erased.reference, reason=reason, case_reference="IG-1", actor="test", cancel_open=True)
    pause(house)
    for _ in range(2):
        house.accept(a_message())
    sequence(house)


def pause(house: House) -> None:
    """Have five minutes pass, in which what was told comes into the log."""
    sequence(house)
    house.clock.move(timedelta(minutes=5))


def hand_over(house: House, outcome: AttemptOutcome) -> int:
    """Make an attempt at all that is due, with that outcome; return how many those were."""
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    outgoing = deliver.begin_attempts(house.gateway, ids, owner="one")
    results = [
        AttemptResult(item.delivery_id, item.attempt, outcome, "ok", None, hashlib.sha256(item.document).hexdigest()) for item in outgoing
    ]
    deliver.finish_attempts(house.gateway, results, owner="one")
    return len(results)


def take_up(house: House, delivery: UUID) -> None:
    """Have the authority fetch, confirm and acknowledge the delivery."""
    document = collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery)
    collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=delivery, digest=hashlib.sha256(document).digest())
    collect.acknowledge(house.gateway, authority=STOCKTON, delivery_id=delivery)


def sequence(house: House) -> None:
    """Have all that was told in the signed log."""
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()


@contextmanager
def put_back(house: House) -> Iterator[None]:
    """Whatever the block does to tables is undone, past the database's own guards; it must not sequence, for a log is never rewound."""
    living = [metadata.tables[name] for name in LIVING]
    with house.gateway.engine.begin() as connection:
        before = {table: [dict(row._mapping) for row in connection.execute(select(table))] for table in living}
    with house.gateway.shred_engine.begin() as connection:
        keys = [dict(row._mapping) for row in connection.execute(select(shred_keys))]
    instant = house.clock.instant
    yield
    house.clock.instant = instant
    with unguarded(house) as connection:
        for table in reversed(living):
            connection.execute(delete(table))
        for table in living:
            if before[table]:
                connection.execute(insert(table), before[table])
    with house.gateway.shred_engine.begin() as connection:
        connection.execute(delete(shred_keys))
        connection.execute(insert(shred_keys), keys)


def tamper(house: House, *statements: Executable) -> None:
    """Change the main database as its administrator can: past the guards, and without an event. Each statement must hit something."""
    with unguarded(house) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, str(statement)


@contextmanager
def unguarded(house: House) -> Iterator[Connection]:
    """A transaction in which the database's own guards are taken off."""
    with house.gateway.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
