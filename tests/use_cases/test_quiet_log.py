# SPDX-License-Identifier: MIT
"""A log in which nothing happens says so once a day, so that there is a fresh checkpoint."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

from sqlalchemy import select

from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.maintain import say_that_it_is_quiet
from tests.use_cases.conftest import House


def test_after_a_day_without_an_entry_there_is_one_and_a_new_checkpoint(house: House) -> None:
    with closing(open_sequencer(house.gateway.settings, house.clock)) as sequencer:
        assert not say_that_it_is_quiet(house.gateway), "what waits for its place is news enough"
        sequencer.run_once()
        assert not say_that_it_is_quiet(house.gateway)
        house.clock.move(timedelta(days=1, seconds=1))
        assert say_that_it_is_quiet(house.gateway)
        assert not say_that_it_is_quiet(house.gateway)
        assert sequencer.run_once() == 1
    with house.gateway.engine.begin() as connection:
        newest = connection.scalar(select(audit_tables.leaf.c.tag).order_by(audit_tables.leaf.c.idx.desc()).limit(1))
    assert newest == "log:quiet"
