# SPDX-License-Identifier: MIT
"""The life of a delivery: one table, from which nothing is missing and in which the books balance."""

from __future__ import annotations

from itertools import product

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict
from notify_gateway.domain.lifecycle import TABLE, WAITING, Count, State, check_transition, may_follow

TASK_STATUSES = {"requested", "received", "accepted", "rejected", "cancelled", "in-progress", "failed", "completed"}


def test_every_state_has_its_row_and_every_row_a_task_status_of_fhir() -> None:
    assert set(TABLE) == set(State)
    assert {facts.task_status for facts in TABLE.values()} <= TASK_STATUSES
    assert len({facts.label for facts in TABLE.values()}) == len(State)


def test_every_state_counts_under_exactly_one_heading_and_every_heading_is_used() -> None:
    assert {facts.counts_as for facts in TABLE.values()} == set(Count)


def test_only_what_waits_may_be_offered_superseded_or_cancelled() -> None:
    for wanted in (State.OFFERED, State.SUPERSEDED, State.CANCELLED):
        assert {state for state in State if may_follow(state, wanted)} == WAITING


def test_acknowledging_follows_receiving_and_not_offering() -> None:
    assert may_follow(State.RECEIVED, State.ACKNOWLEDGED)
    assert not may_follow(State.OFFERED, State.ACKNOWLEDGED)


def test_every_state_can_be_reached() -> None:
    reached, waiting = {State.QUEUED}, [State.QUEUED]
    while waiting:
        following = TABLE[waiting.pop()].next - reached
        reached |= following
        waiting.extend(following)
    assert reached == set(State)


@pytest.mark.parametrize(("present", "wanted"), list(product(State, State)))
def test_a_step_that_the_table_does_not_name_is_a_conflict(present: State, wanted: State) -> None:
    if wanted in TABLE[present].next:
        check_transition(present, wanted)
    else:
        with pytest.raises(Conflict) as conflict:
            check_transition(present, wanted)
        assert conflict.value.issues[0].code == Code.DELIVERY_STATE
