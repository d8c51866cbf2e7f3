# SPDX-License-Identifier: MIT
"""Each invariant holds after a day's work, and fails, naming what breaks it, when its breach is planted on purpose."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, delete, func, insert, select, update

from notify_gateway.domain.delivery import AttemptOutcome
from notify_gateway.domain.refs import is_reference
from notify_gateway.store import periodic, tables
from notify_gateway.store.engine import open_engine
from notify_gateway.store.tables import audit_tables, deliveries, messages, notifications, shred_keys
from notify_gateway.use_cases import deliver
from notify_gateway.use_cases.invariants import runs
from notify_gateway.use_cases.invariants.finding import Level
from notify_gateway.use_cases.invariants.table import INVARIANTS, check_all
from tests.support.invariants import assert_invariants
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House
from tests.use_cases.days_work import hand_over, put_back, sequence, tamper, work

d, leaf = deliveries.c, audit_tables.leaf.c


def fresh(house: House, number: int = 0) -> UUID:
    """Return a notification of which nothing but the acceptance has happened, all of it in the log."""
    single = select(d.notification_id).group_by(d.notification_id).having(func.count() == 1, func.min(d.state) == "queued")
    untouched = single.having(func.max(d.attempts) == 0, func.min(d.event) == "new").order_by(d.notification_id)
    with house.gateway.engine.begin() as connection:
        return connection.scalars(untouched).all()[number]


def held(house: House, table: Table, notification: UUID) -> dict[str, object]:
    """Return the notification's row of the table."""
    with house.gateway.engine.begin() as connection:
        return dict(connection.execute(select(table).where(table.c.notification_id == notification)).one()._mapping)


def lose_a_delivery(house: House) -> None:
    tamper(house, delete(deliveries).where(d.notification_id == fresh(house)))


def double_a_delivery(house: House) -> None:
    row = held(house, deliveries, fresh(house))
    tamper(house, insert(deliveries).values(row | {"id": uuid4(), "sequence": 2}))


def lose_the_state_of_a_delivery(house: House) -> None:
    tamper(house, update(deliveries).where(d.notification_id == fresh(house)).values(state="lost"))


def move_a_notification_in_silence(house: House) -> None:
    tamper(house, update(notifications).where(notifications.c.id == fresh(house)).values(authority=MIDDLESBROUGH))


def carry_another_s_message(house: House) -> None:
    other = held(house, messages, fresh(house, 1))["id"]
    tamper(house, update(deliveries).where(d.notification_id == fresh(house)).values(message_id=other))


def take_an_acceptance_out_of_the_log(house: House) -> None:
    tamper(house, delete(audit_tables.leaf).where(leaf.event_id == held(house, messages, fresh(house))["accepted_event"]))


def leave_an_acceptance_without_a_place(house: House) -> None:
    house.accept(a_message())
    house.clock.move(timedelta(seconds=61))


def lose_a_message(house: House) -> None:
    notification = fresh(house)
    message = held(house, messages, notification)["id"]
    parts = [delete(table).where(table.c.message_id == message) for table in (deliveries, tables.envelopes, tables.ages)]
    tamper(house, *parts, delete(messages).where(messages.c.id == message), delete(notifications).where(notifications.c.id == notification))
    with house.gateway.shred_engine.begin() as connection:
        connection.execute(delete(shred_keys).where(shred_keys.c.message_id == message))


def take_a_receipt_out_of_the_log(house: House) -> None:
    with house.gateway.engine.begin() as connection:
        event = connection.scalars(select(d.received_event).where(d.state == "outcome")).one()
    # Another entry of the same kind takes its place, so that only the receipt is gone.
    tamper(house, update(audit_tables.leaf).where(leaf.event_id == event).values(event_id=uuid4()))


def forget_which_entry_a_receipt_is(house: House) -> None:
    tamper(house, update(deliveries).where(d.state == "outcome").values(received_event=None))


def acknowledge_in_silence(house: House) -> None:
    tamper(house, update(deliveries).where(d.notification_id == fresh(house)).values(state="acknowledged"))


def attempt_in_silence(house: House) -> None:
    tamper(house, update(deliveries).where(d.notification_id == fresh(house)).values(attempts=1))


def overtake(house: House) -> None:
    message = a_message()
    first = house.accept(message).notification_id
    house.accept(message.followed_by("update"))
    earlier, later = (d.notification_id == first) & (d.sequence == 1), (d.notification_id == first) & (d.sequence == 2)
    at = house.clock.now()
    tamper(house, update(deliveries).where(earlier).values(state="queued"))
    tamper(house, update(deliveries).where(later).values(state="superseded", offered_at=at, channel="pull"))
    told = {"leaf": b"", "leaf_hash": bytes(32), "created_at": int(at.timestamp() * 1_000_000), "tag": "delivery:superseded"}
    with house.gateway.engine.begin() as connection:
        subject = str(connection.scalars(select(d.id).where(later)).one())
    tamper(house, insert(audit_tables.pending).values(told | {"event_id": uuid4(), "subject": subject}))


def receive_in_an_inbox_without_a_case(house: House) -> None:
    tamper(house, update(deliveries).where(d.state == "received").values(channel="inbox"))


def leave_a_delivery_lying(house: House) -> None:
    house.clock.move(house.gateway.settings.overdue_after + timedelta(seconds=1))


def lose_a_key(house: House) -> None:
    message = held(house, messages, fresh(house))["id"]
    with house.gateway.shred_engine.begin() as connection:
        connection.execute(delete(shred_keys).where(shred_keys.c.message_id == message))


def leave_a_key(house: House) -> None:
    with house.gateway.shred_engine.begin() as connection:
        row = {"message_id": uuid4(), "key": bytes(32), "created_at": house.clock.now() - timedelta(minutes=13)}
        connection.execute(insert(shred_keys), [row])


BREACHES: dict[Callable[[House], None], set[str]] = {
    lose_a_delivery: {"books-balance", "trusts-tally-with-authorities"},
    double_a_delivery: {"books-balance", "states-are-logged"},
    lose_the_state_of_a_delivery: {"books-balance", "states-are-logged"},
    move_a_notification_in_silence: {"trusts-tally-with-authorities"},
    carry_another_s_message: {"books-balance", "trusts-tally-with-authorities"},
    take_an_acceptance_out_of_the_log: {"acceptances-are-logged"},
    leave_an_acceptance_without_a_place: {"acceptances-are-logged"},
    lose_a_message: {"acceptances-are-held"},
    take_a_receipt_out_of_the_log: {"receipts-are-logged"},
    forget_which_entry_a_receipt_is: {"receipts-are-logged"},
    acknowledge_in_silence: {"states-are-logged"},
    attempt_in_silence: {"attempts-are-logged"},
    overtake: {"order-is-kept"},
    receive_in_an_inbox_without_a_case: {"cases-tally"},
    leave_a_delivery_lying: {"nothing-is-overdue"},
    lose_a_key: {"messages-have-their-keys"},
    leave_a_key: {"no-orphan-keys"},
}


def test_every_invariant_holds_after_a_days_work_and_fails_when_its_breach_is_planted(house: House) -> None:
    work(house)
    assert_invariants(house.gateway)
    assert {each.level for each in check_all(house.gateway).findings} == {Level.OK}
    for breach, names in BREACHES.items():
        with put_back(house):
            breach(house)
            broken = check_all(house.gateway).broken
            assert {each.name for each in broken if each.level is Level.FAIL} == names, breach.__name__
            for found in broken:
                assert found.count >= len(found.references) >= 1
                assert all(is_reference(each) or UUID(each) for each in found.references)
    assert set().union(*BREACHES.values()) == {each.name for each in INVARIANTS}
    assert_invariants(house.gateway)


def test_what_waits_for_people_or_is_left_in_peace_is_not_overdue_and_what_an_authority_leaves_lying_is_a_warning(house: House) -> None:
    house.accept(a_message())
    hand_over(house, AttemptOutcome.OFFERED)
    house.accept(a_message())
    house.accept(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
    sequence(house)
    now = house.clock.now()
    assert level(house, "nothing-is-overdue") is Level.OK
    house.clock.move(timedelta(minutes=11))
    assert level(house, "nothing-is-overdue") is Level.FAIL
    tamper(house, update(deliveries).where(d.authority == STOCKTON, d.state == "queued").values(parked_at=now, parked_code="timeout"))
    assert level(house, "nothing-is-overdue") is Level.FAIL
    circuit = {"authority": MIDDLESBROUGH, "failures": 9, "opened_at": now, "pauses": 1, "paused_until": now}
    tamper(house, insert(tables.circuits).values(circuit))
    assert level(house, "nothing-is-overdue") is Level.OK
    house.clock.move(house.gateway.settings.unconfirmed_after)
    assert level(house, "nothing-is-overdue") is Level.WARN
    assert check_all(house.gateway).broken == ()


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_what_lies_behind_others_that_are_under_way_is_a_warning_until_nothing_is_under_way(house: House) -> None:
    for _ in range(2):
        house.accept(a_message())
    sequence(house)
    (hint,) = deliver.find_due(house.gateway)
    house.clock.move(timedelta(minutes=11))
    assert len(deliver.begin_attempts(house.gateway, [UUID(hint.ids[0])], owner="one")) == 1
    assert level(house, "nothing-is-overdue") is Level.WARN
    house.clock.move(house.gateway.settings.lease + timedelta(seconds=1))
    assert level(house, "nothing-is-overdue") is Level.FAIL


def level(house: House, name: str) -> Level:
    (found,) = (each for each in check_all(house.gateway).findings if each.name == name)
    return found.level


def test_one_process_looks_when_it_is_due_and_the_newest_runs_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    every = house.gateway.settings.invariants_every

    def begins(_: int) -> bool:
        with house.gateway.engine.begin() as connection:
            return periodic.begin_when_due(connection, "a-race", now=house.clock.now(), every=every)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(begins, range(6))) == [False] * 5 + [True]

    assert runs.latest(house.gateway) is None
    first = runs.run_when_due(house.gateway)
    assert first is not None
    assert first.level is Level.OK
    assert runs.run_when_due(house.gateway) is None
    house.clock.move(every)
    second = runs.run_when_due(house.gateway)
    house.clock.move(-timedelta(hours=1))
    assert runs.run_when_due(house.gateway) is not None, "a clock that was ahead holds nothing up"
    assert runs.latest(house.gateway) == second
    monkeypatch.setattr(runs, "KEPT", 2)
    house.clock.move(timedelta(hours=2))
    third = runs.run(house.gateway, whole=True)
    assert runs.history(house.gateway) == [third, second]


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_what_cannot_be_looked_at_is_unknown_and_breaks_the_run(house: House, tmp_path: Path) -> None:
    empty = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    blind = replace(house.gateway, shred_engine=empty)
    house.accept(a_message())
    with pytest.raises(AssertionError, match="no-orphan-keys"):
        assert_invariants(blind)
    found = check_all(blind)
    empty.dispose()
    assert {each.name for each in found.broken} == {"messages-have-their-keys", "no-orphan-keys"}
    assert found.level is Level.UNKNOWN
