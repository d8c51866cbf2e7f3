# SPDX-License-Identifier: MIT
"""The gauges of the whole service, on each database."""

from __future__ import annotations

from notify_gateway.runtime import open_sequencer
from notify_gateway.use_cases import measures
from notify_gateway.use_cases.invariants import runs
from tests.support.messages import a_message
from tests.use_cases.conftest import STOCKTON, House


def test_every_gauge_that_is_documented_is_read(house: House) -> None:
    house.accept(a_message())
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    sequencer.run_once()
    sequencer.close()
    runs.run(house.gateway)
    found = measures.read(house.gateway)
    assert set(found) == set(measures.GAUGES)
    assert found[measures.OPEN] == {(STOCKTON, "pull", "waiting"): 1.0}
    assert found[measures.LOG_SIZE][()] > 0
