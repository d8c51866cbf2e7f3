# SPDX-License-Identifier: MIT
"""The outbox's policy on both databases: parking, the circuit of an authority, planned downtime, shares, and the order that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Row, select

from audit.events import Event, read_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.domain.errors import NotFound, Refused
from notify_gateway.domain.operating import DowntimeReason
from notify_gateway.domain.outbox_policy import CLOSED, Circuit
from notify_gateway.domain.route import ChannelName
from notify_gateway.store import circuits, tables
from notify_gateway.store.engine import reading
from notify_gateway.use_cases import deliver, downtime, onboard
from tests.support.messages import Message, a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House

OPERATOR = "operator:tester"


def to_middlesbrough() -> Message:
    return a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH)


def due(house: House) -> list[UUID]:
    return [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]


def end(house: House, going: Sequence[Outgoing], code: str = "", *, retry_after: float | None = None, owner: str = "w") -> None:
    """Record the attempts as received, or as failed with ``code``."""
    outcome = AttemptOutcome.RETRY if code else AttemptOutcome.RECEIVED
    digest = None if code else "00" * 32
    results = [AttemptResult(each.delivery_id, each.attempt, outcome, code or "received", retry_after, digest) for each in going]
    deliver.finish_attempts(house.gateway, results, owner=owner)


def attempt(house: House, code: str = "", *, retry_after: float | None = None) -> int:
    """Let everything that is due be tried once, with the same result; return how many that were."""
    going = deliver.begin_attempts(house.gateway, due(house), owner="w")
    end(house, going, code, retry_after=retry_after)
    return len(going)


def fail_often(house: House, code: str, times: int) -> None:
    for _ in range(times):
        house.clock.move(house.gateway.settings.retry_most)
        assert attempt(house, code) == 1


def row(house: House, delivery: UUID | None = None) -> Row[tuple[object, ...]]:
    d = tables.deliveries
    with reading(house.gateway.engine).begin() as connection:
        return connection.execute(select(d).order_by(d.c.due_at).where(d.c.id == delivery if delivery else d.c.id.is_not(None))).one()


def circuit(house: House, authority: str = MIDDLESBROUGH) -> Circuit:
    with reading(house.gateway.engine).begin() as connection:
        return circuits.find_all(connection).get(authority, CLOSED)


def told(house: House, *tags: str) -> list[Event]:
    pending = tables.audit_tables.pending
    with reading(house.gateway.engine).begin() as connection:
        leaves = connection.scalars(select(pending.c.leaf).order_by(pending.c.arrival)).all()
    return [event for event in map(read_leaf, leaves) if event.tag in tags]


def test_what_fails_too_often_is_parked_with_its_owner_and_an_update_takes_its_place(house: House) -> None:
    message = to_middlesbrough()
    house.accept(message)
    fail_often(house, "http-422", house.gateway.settings.most_attempts)
    held = row(house)
    assert (held.state, held.parked_code, held.parked_at) == ("queued", "http-422", house.clock.now())
    (event,) = told(house, "delivery:parked")
    assert {"owner": "authority", "limit": "attempts", "code": "http-422"}.items() <= event.fields.items()
    house.clock.move(timedelta(days=1))
    assert due(house) == []
    assert deliver.begin_attempts(house.gateway, [held.id], owner="w") == []
    house.accept(message.followed_by("update"))
    assert row(house, held.id).state == "superseded"
    assert attempt(house) == 1


def test_what_is_too_old_when_it_fails_is_parked_and_goes_by_itself_once_the_receiver_answers(house: House) -> None:
    house.accept(to_middlesbrough())
    house.clock.move(house.gateway.settings.longest_age)
    attempt(house, "unreachable")
    assert row(house).parked_code == "unreachable"
    for _ in range(house.gateway.settings.circuit_after - 1):
        house.accept(to_middlesbrough())
    attempt(house, "unreachable")
    assert circuit(house).is_open
    house.clock.move(house.gateway.settings.circuit_most)
    assert attempt(house) == 1
    assert attempt(house) == house.gateway.settings.circuit_after - 1
    assert [event.fields["reason"] for event in told(house, "delivery:requeued")] == ["receiver-answers"]
    assert due(house) == []


def test_an_open_circuit_lets_one_probe_through_and_spends_no_attempts(house: House) -> None:
    limit = house.gateway.settings.circuit_after
    for _ in range(limit + 3):
        house.accept(to_middlesbrough())
    house.accept(a_message())
    ids = due(house)
    going = deliver.begin_attempts(house.gateway, ids[:limit], owner="w")
    end(house, [each for each in going if each.authority == MIDDLESBROUGH], "timeout")
    end(house, [each for each in going if each.authority != MIDDLESBROUGH])
    while not circuit(house).is_open:
        assert attempt(house, "timeout")
        house.clock.move(timedelta(seconds=4))
    late = deliver.begin_attempts(house.gateway, ids, owner="w")
    assert {each.authority for each in late} <= {STOCKTON}  # hints that were on the way when it opened
    end(house, late)
    before = told(house, "delivery:attempted")
    house.clock.move(house.gateway.settings.circuit_first)
    for _ in range(3):
        (probe,) = due(house)
        assert due(house) == []
        (going_probe,) = deliver.begin_attempts(house.gateway, [*ids, probe], owner="w")
        assert going_probe.delivery_id == probe
        end(house, [going_probe], "timeout")
        spared = row(house, probe)
        assert spared.attempts - spared.spared <= 1
        assert due(house) == []
        house.clock.move(house.gateway.settings.circuit_most)
    assert len(told(house, "delivery:attempted")) == len(before) + 3
    assert attempt(house) == 1
    assert not circuit(house).is_open
    house.clock.move(house.gateway.settings.rehint_after + timedelta(seconds=1))
    assert attempt(house) == limit + 2
    assert [event.tag for event in told(house, "circuit:opened", "circuit:closed")] == ["circuit:opened", "circuit:closed"]


def test_a_probe_that_is_lost_is_followed_by_another(house: House) -> None:
    for _ in range(house.gateway.settings.circuit_after):
        house.accept(to_middlesbrough())
    attempt(house, "refused")
    house.clock.move(house.gateway.settings.circuit_first)
    assert len(due(house)) == 1
    house.clock.move(house.gateway.settings.rehint_after + house.gateway.settings.lease)
    assert attempt(house) == 1


def test_what_was_put_off_goes_at_once_when_the_receiver_answers(house: House) -> None:
    house.accept(to_middlesbrough())
    fail_often(house, "timeout", house.gateway.settings.circuit_after - 1)
    house.accept(to_middlesbrough())
    assert attempt(house, "timeout") == 1
    house.clock.move(house.gateway.settings.circuit_first)
    assert attempt(house) == 1
    assert attempt(house) == 1


def test_a_failure_of_one_delivery_says_nothing_against_its_receiver(house: House) -> None:
    for _ in range(house.gateway.settings.circuit_after):
        house.accept(to_middlesbrough())
    for code in ("envelope-damaged", "http-400"):
        attempt(house, code)
        house.clock.move(house.gateway.settings.retry_most)
    assert circuit(house) == CLOSED
    assert told(house, "circuit:opened") == []


def test_a_receiver_that_asks_for_a_rest_has_it_for_all_that_is_its(house: House) -> None:
    for _ in range(2):
        house.accept(to_middlesbrough())
    first, second = due(house)
    end(house, deliver.begin_attempts(house.gateway, [first], owner="w"), "http-429", retry_after=100)
    assert deliver.begin_attempts(house.gateway, [second], owner="w") == []
    house.accept(to_middlesbrough())
    house.clock.move(timedelta(seconds=99))
    assert due(house) == []
    house.clock.move(timedelta(seconds=2))
    assert attempt(house) == 3
    assert not circuit(house).is_open


def test_nothing_goes_out_in_a_planned_downtime_and_what_fails_then_counts_for_nothing(house: House) -> None:
    gateway, now = house.gateway, house.clock.now()
    for _ in range(gateway.settings.circuit_after):
        house.accept(to_middlesbrough())
    going = deliver.begin_attempts(gateway, due(house), owner="w")
    planned = downtime.plan_downtime(
        gateway,
        authority=MIDDLESBROUGH,
        starts_at=now + timedelta(seconds=1),
        ends_at=now + timedelta(hours=2),
        reason=DowntimeReason.MAINTENANCE,
        actor=OPERATOR,
    )
    house.clock.move(timedelta(seconds=2))
    end(house, going, "refused")
    assert circuit(house) == CLOSED
    house.clock.move(timedelta(hours=1))
    ids = [each.delivery_id for each in going]
    assert due(house) == []
    assert deliver.begin_attempts(gateway, ids, owner="w") == []
    assert {row(house, each).spared for each in ids} == {1}
    assert downtime.list_downtimes(gateway, authority=MIDDLESBROUGH) == [planned]
    ended = downtime.end_downtime(gateway, downtime_id=planned.id, actor=OPERATOR)
    assert downtime.end_downtime(gateway, downtime_id=planned.id, actor=OPERATOR) == ended
    assert (downtime.list_downtimes(gateway), downtime.list_downtimes(gateway, past=True)) == ([], [ended])
    span = {"starts_at": now, "ends_at": house.clock.now() + timedelta(hours=1)}
    drain = partial(downtime.plan_channel_downtime, gateway, **span, reason=DowntimeReason.MIGRATION, actor=OPERATOR)
    assert drain(channel=ChannelName.MESH) == []
    (drained,) = drain(channel=ChannelName.WEBHOOK)
    assert (drained.authority, due(house)) == (MIDDLESBROUGH, [])
    downtime.end_downtime(gateway, downtime_id=drained.id, actor=OPERATOR)
    assert attempt(house) == len(ids)
    assert [event.tag for event in told(house, "downtime:planned", "downtime:ended")] == ["downtime:planned", "downtime:ended"] * 2


def test_a_downtime_is_of_an_authority_here_and_in_hours_to_come(house: House) -> None:
    now = house.clock.now()
    for authority, hours, error, code in (
        (MIDDLESBROUGH, 0, Refused, Code.DOWNTIME_SPAN),
        ("E06000099", 1, NotFound, Code.AUTHORITY_NOT_SERVED),
    ):
        with pytest.raises(error) as refused:
            downtime.plan_downtime(
                house.gateway,
                authority=authority,
                starts_at=now,
                ends_at=now + timedelta(hours=hours),
                reason=DowntimeReason.CLOSURE,
                actor=OPERATOR,
            )
        assert refused.value.issues[0].code == code
    with pytest.raises(NotFound) as unknown:
        downtime.end_downtime(house.gateway, downtime_id=uuid4(), actor=OPERATOR)
    assert unknown.value.issues[0].code == Code.DOWNTIME_UNKNOWN


def test_what_is_queued_follows_the_authority_to_another_channel_and_what_is_held_does_when_it_fails(house: House) -> None:
    for _ in range(2):
        house.accept(to_middlesbrough())
    held, free = due(house)
    going = deliver.begin_attempts(house.gateway, [held], owner="w")
    onboard.register_authority(house.gateway, gss=MIDDLESBROUGH, custody="authority-held", channel="pull", actor=OPERATOR)
    assert (row(house, held).channel, row(house, free).channel) == ("webhook", "pull")
    end(house, going, "reset")
    assert row(house, held).channel == "pull"
    assert [event.fields["before"] for event in told(house, "delivery:moved")] == ["webhook", "webhook"]
    house.clock.move(timedelta(seconds=1))
    assert {(hint.channel, len(hint.ids)) for hint in deliver.find_due(house.gateway)} == {("pull", 2)}


def test_an_attempt_that_fails_gives_way_to_an_update_that_came_meanwhile(house: House) -> None:
    message = to_middlesbrough()
    house.accept(message)
    going = deliver.begin_attempts(house.gateway, due(house), owner="w")
    house.accept(message.followed_by("update"))
    end(house, going, "http-500")
    assert row(house, going[0].delivery_id).state == "superseded"
    assert attempt(house) == 1


def test_what_ends_its_workers_goes_alone_and_is_parked_at_last(house: House) -> None:
    for _ in range(2):
        house.accept(to_middlesbrough())
    for _ in range(house.gateway.settings.most_attempts):
        assert len(deliver.begin_attempts(house.gateway, due(house), owner="dies")) == 2
        house.clock.move(house.gateway.settings.lease + timedelta(seconds=1))
    hints = deliver.find_due(house.gateway)
    assert [len(hint.ids) for hint in hints] == [1, 1]
    for hint in hints:
        assert deliver.begin_attempts(house.gateway, [UUID(each) for each in hint.ids], owner="w") == []
    assert {(event.fields["code"], event.fields["owner"]) for event in told(house, "delivery:parked")} == {("no-result", "operator")}
