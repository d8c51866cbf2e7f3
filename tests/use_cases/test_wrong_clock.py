# SPDX-License-Identifier: MIT
"""A clock that was ahead and is right again holds no delivery up; what waits for good reason goes on waiting."""

from __future__ import annotations

from datetime import timedelta

from notify_gateway.use_cases.wrong_clock import set_right
from tests.use_cases.conftest import House
from tests.use_cases.test_delivering import AttemptOutcome, begin, due, finish, row, to_middlesbrough

HOUR = timedelta(hours=1)


def test_what_failed_while_the_clock_was_ahead_is_due_when_it_is_right(house: House) -> None:
    house.accept(to_middlesbrough())
    house.clock.move(HOUR)
    for _ in range(8):
        for item in begin(house, due(house)):
            finish(house, item, AttemptOutcome.RETRY)
        house.clock.move(timedelta(minutes=3))
    house.clock.move(-HOUR - timedelta(minutes=24))
    assert due(house) == []
    assert set_right(house.gateway) >= 1
    assert len(due(house)) == 1
    assert set_right(house.gateway) == 0


def test_a_lease_of_a_worker_that_died_while_the_clock_was_ahead_runs_out(house: House) -> None:
    house.accept(to_middlesbrough())
    house.clock.move(HOUR)
    assert len(begin(house, due(house))) == 1
    house.clock.move(-HOUR)
    assert set_right(house.gateway) >= 1
    house.clock.move(timedelta(seconds=1))
    assert len(begin(house, due(house))) == 1


def test_what_waits_for_good_reason_goes_on_waiting(house: House) -> None:
    house.accept(to_middlesbrough())
    (item,) = begin(house, due(house))
    assert set_right(house.gateway) == 0
    finish(house, item, AttemptOutcome.RETRY, retry_after=house.gateway.settings.retry_most.total_seconds() * 2)
    assert set_right(house.gateway) == 0
    assert row(house).due_at == house.clock.now() + house.gateway.settings.retry_most
