# SPDX-License-Identifier: MIT
"""The outbox's policy as functions: what follows a failure, and when a circuit opens and closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.outbox_policy import CLOSED, Circuit, Limits, Meaning, Owner, Park, Retry, Seen, after, judge, next_step

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIMITS = Limits(
    most_attempts=4,
    longest_age=timedelta(days=1),
    retry_first=timedelta(seconds=2),
    retry_most=timedelta(minutes=15),
    circuit_after=3,
    circuit_first=timedelta(seconds=2),
    circuit_most=timedelta(minutes=2),
)
ANSWER = Seen(answered=True)
chances = st.floats(0, 1)


def away(times: int = 1, retry_after: float | None = None) -> Seen:
    return Seen(answered=False, away=times, code="timeout", retry_after=retry_after)


@pytest.mark.parametrize(
    ("code", "meaning", "owner"),
    [
        ("timeout", Meaning.AWAY, Owner.AUTHORITY),
        ("http-503", Meaning.AWAY, Owner.AUTHORITY),
        ("http-429", Meaning.AWAY, Owner.AUTHORITY),
        ("http-422", Meaning.ANSWERED, Owner.AUTHORITY),
        ("tls", Meaning.AWAY, Owner.AUTHORITY),
        ("egress-address", Meaning.AWAY, Owner.OPERATOR),
        ("sftp-full", Meaning.AWAY, Owner.AUTHORITY),
        ("sftp-host-key", Meaning.AWAY, Owner.OPERATOR),
        ("mesh-undeliverable", Meaning.SILENT, Owner.OPERATOR),
        ("envelope-damaged", Meaning.SILENT, Owner.TRUST),
        ("a-code-of-a-later-channel", Meaning.SILENT, Owner.OPERATOR),
    ],
)
def test_one_table_says_what_a_code_means_and_who_has_to_act(code: str, meaning: Meaning, owner: Owner) -> None:
    assert (judge(code).meaning, judge(code).owner) == (meaning, owner)


@given(attempts=st.integers(1, 3), chance=chances, asked=st.none() | st.floats(0, 1e6))
def test_a_failure_within_the_limits_is_tried_again_within_bounds(attempts: int, chance: float, asked: float | None) -> None:
    step = next_step(code="reset", attempts=attempts, age=timedelta(), now=NOW, limits=LIMITS, chance=chance, retry_after=asked)
    assert isinstance(step, Retry)
    assert LIMITS.retry_first / 2 <= step.at - NOW <= LIMITS.retry_most
    assert asked is None or step.at - NOW >= min(timedelta(seconds=asked), LIMITS.retry_most)


def test_beyond_the_most_attempts_or_the_longest_age_people_have_to_look() -> None:
    step = next_step(code="http-422", attempts=4, age=timedelta(), now=NOW, limits=LIMITS, chance=0)
    assert step == Park(Owner.AUTHORITY, "attempts")
    assert next_step(code="no-result", attempts=1, age=timedelta(days=1), now=NOW, limits=LIMITS, chance=0) == Park(Owner.OPERATOR, "age")


@given(st.lists(st.sampled_from([ANSWER, away(1), away(2), Seen(answered=False)]), max_size=30), chances)
def test_a_circuit_is_open_exactly_when_enough_failed_since_the_last_answer(seen: list[Seen], chance: float) -> None:
    circuit, since_answer, now = CLOSED, 0, NOW
    for each in seen:
        now += timedelta(minutes=3)
        circuit = after(circuit, each, probed=circuit.is_open, now=now, limits=LIMITS, chance=chance)
        since_answer = 0 if each.answered else since_answer + each.away
        assert circuit.is_open == (since_answer >= LIMITS.circuit_after)
        if circuit.paused_until is not None and each.away:
            assert LIMITS.circuit_first / 2 <= circuit.paused_until - now <= LIMITS.circuit_most


@given(chances)
def test_each_probe_that_fails_lengthens_the_pause_and_what_was_still_under_way_does_not(chance: float) -> None:
    def fail(circuit: Circuit, *, probed: bool) -> Circuit:
        return after(circuit, away(3), probed=probed, now=NOW, limits=LIMITS, chance=chance)

    opened = replace(fail(CLOSED, probed=False), probe=uuid4())
    assert replace(fail(opened, probed=False), failures=3) == opened
    pauses = [(opened := fail(opened, probed=True)).paused_until for _ in range(8)]
    assert pauses == sorted(pauses)  # type: ignore[type-var]
    assert pauses[-1] is not None
    assert pauses[-1] - NOW >= LIMITS.circuit_most / 2
    assert opened.probe is None
    assert after(opened, ANSWER, probed=True, now=NOW, limits=LIMITS, chance=chance) == CLOSED


def test_a_receiver_that_asks_for_a_rest_has_it_up_to_the_longest_delay() -> None:
    for asked, rest in ((60, timedelta(minutes=1)), (1e6, LIMITS.retry_most)):
        resting = after(CLOSED, away(1, asked), probed=False, now=NOW, limits=LIMITS, chance=0)
        assert (resting.is_open, resting.paused_until) == (False, NOW + rest)
        opened = after(CLOSED, away(3, asked), probed=False, now=NOW, limits=LIMITS, chance=0)
        assert (opened.is_open, opened.paused_until) == (True, NOW + rest)
        mixed = after(CLOSED, replace(away(3, asked), answered=True), probed=False, now=NOW, limits=LIMITS, chance=0)
        assert mixed == replace(CLOSED, paused_until=NOW + rest)
