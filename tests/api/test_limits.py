# SPDX-License-Identifier: MIT
"""Rates, presence and turns, on a clock that is turned by hand: who has to wait, for how long, and who never does."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from notify_gateway.api.limits import LARGE_AT_WORK, Limits, Rate, Turns, leave
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotAllowed, Unavailable
from notify_gateway.settings import Settings
from notify_gateway.use_cases.accept import SMALL_BODY

A, B = UUID(int=1), UUID(int=2)


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limits(hand: Hand | None = None, **values: float) -> Limits:
    return Limits(Settings.model_validate(values), clock=hand or Hand())


def refused_for(act: object) -> int:
    """Return the seconds that ``act`` is told to wait."""
    with pytest.raises(Unavailable) as refusal:
        act()  # type: ignore[operator]
    assert refusal.value.issues[0].code == Code.RATE_LIMITED
    return refusal.value.retry_after


def test_a_rate_grants_a_burst_then_so_many_a_second_and_says_when_the_next_one_fits() -> None:
    hand = Hand()
    rate = Rate(10, 5, clock=hand)
    assert [rate.take("a") for _ in range(5)] == [0] * 5
    assert rate.take("a") == pytest.approx(0.1)
    assert rate.take("b") == 0
    hand.now += 0.1
    assert rate.take("a") == 0
    assert rate.take("a") > 0
    hand.now += 100
    assert [rate.take("a") for _ in range(6)] == [0] * 5 + [pytest.approx(0.1)]


def test_what_is_refused_costs_nothing() -> None:
    hand = Hand()
    rate = Rate(1, 1, clock=hand)
    assert rate.take("a") == 0
    assert [rate.take("a") for _ in range(9)] == [pytest.approx(1)] * 9
    hand.now += 1
    assert rate.take("a") == 0


def test_a_cost_beyond_the_burst_is_paid_for_afterwards() -> None:
    hand = Hand()
    rate = Rate(10, 5, clock=hand)
    assert rate.take("a", 50) == 0
    assert rate.take("a") == pytest.approx(4.6)
    hand.now += 5
    assert rate.take("a", 50) == 0


def test_a_rate_of_nought_sets_no_limit() -> None:
    rate = Rate(0, 1)
    assert {rate.take("a") for _ in range(1000)} == {0}
    rate.give_back("a")


def test_a_rate_remembers_a_bounded_number_and_never_forgets_the_newest_debtor() -> None:
    rate = Rate(1, 1, clock=Hand(), most=100)
    for index in range(10_000):
        rate.take(index)
    assert len(rate._due) <= 100
    assert rate.take(9_999) > 0


def test_a_client_has_so_many_requests_under_way_and_each_that_ends_makes_room() -> None:
    held = limits(client_requests=2)
    first: dict[str, object] = {}
    held.arrive(first, A)
    held.arrive({}, A)
    assert refused_for(lambda: held.arrive({}, A)) == 1
    held.arrive({}, B)
    leave(first)
    held.arrive({}, A)


def test_a_client_that_comes_too_fast_is_told_whole_seconds_and_others_are_not_concerned() -> None:
    hand = Hand()
    held = limits(hand, client_rate=0.5, client_burst=3)
    for _ in range(3):
        held.arrive({}, A)
    assert refused_for(lambda: held.arrive({}, A)) == 2
    held.arrive({}, B)
    hand.now += 2
    held.arrive({}, A)


def test_the_lines_of_a_bulk_count_as_requests() -> None:
    held = limits(client_rate=10, client_burst=100)
    held.spend(A, 95)
    assert refused_for(lambda: held.spend(A, 10)) == 1
    held.spend(A, 5)


def test_addresses_are_counted_and_one_network_of_ipv6_counts_as_one() -> None:
    held = limits(address_rate=1, address_burst=2)
    for address in ("192.0.2.1", "2001:db8::1", "192.0.2.1", "2001:db8::ffff:2"):
        held.require_address(address)
    assert refused_for(lambda: held.require_address("192.0.2.1")) == 1
    assert refused_for(lambda: held.require_address("2001:db8::3")) == 1
    held.require_address("192.0.2.2")
    held.require_address("2001:db8:0:1::3")
    held.require_address("not:an:address")


def fail(held: Limits, address: str, credential: str, code: Code = Code.TOKEN_UNKNOWN) -> None:
    with pytest.raises(NotAllowed), held.signing_in(address, credential):
        raise NotAllowed(Issue(code))


def test_failed_sign_ins_are_counted_and_who_was_known_before_is_let_in_all_the_same() -> None:
    hand = Hand()
    held = limits(hand, sign_in_failures=3)
    with held.signing_in("192.0.2.1", "good"):
        pass
    for index in range(3):
        fail(held, "192.0.2.1", f"bad {index}")

    def another() -> None:
        with held.signing_in("192.0.2.1", "new"):
            raise AssertionError("nobody looks")

    assert refused_for(another) == 20
    with held.signing_in("192.0.2.1", "good"):
        pass
    with held.signing_in("192.0.2.9", "new"):
        pass
    hand.now += 20
    with held.signing_in("192.0.2.1", "newer"):
        pass


def test_a_credential_that_was_good_and_is_no_more_counts_like_any_other() -> None:
    held = limits(sign_in_failures=1)
    with held.signing_in("192.0.2.1", "good"):
        pass
    fail(held, "192.0.2.1", "good", Code.TOKEN_REVOKED)
    fail(held, "192.0.2.1", "good", Code.TOKEN_REVOKED)
    with pytest.raises(Unavailable), held.signing_in("192.0.2.1", "good"):
        pass


def test_a_database_that_is_away_is_nobodys_failed_sign_in() -> None:
    held = limits(sign_in_failures=1)
    for error in (OSError(), NotAllowed(Issue(Code.SCOPE_MISSING))):
        with pytest.raises(type(error)), held.signing_in("192.0.2.1", "good"):
            raise error
    with held.signing_in("192.0.2.1", "good"):
        pass


def test_a_request_id_is_held_while_it_is_worked_on() -> None:
    held, request_id = limits(), uuid4()
    with held.one_at_a_time(A, request_id):
        with pytest.raises(Conflict) as refusal, held.one_at_a_time(A, request_id):
            pass
        assert refusal.value.issues[0].code == Code.STILL_PROCESSING
        with held.one_at_a_time(B, request_id), held.one_at_a_time(A, uuid4()):
            pass
    with held.one_at_a_time(A, request_id):
        pass


async def _settle() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def test_a_crowd_of_one_client_delays_another_by_one_turn() -> None:
    async def run() -> list[str]:
        turns, order, gate = Turns(1), [], asyncio.Event()

        async def work(key: str) -> None:
            async with turns.turn(key):
                order.append(key)
                await gate.wait()
                await asyncio.sleep(0)

        crowd = [asyncio.create_task(work("A")) for _ in range(50)]
        await _settle()
        crowd += [asyncio.create_task(work(key)) for key in ("B", "C", "B")]
        await _settle()
        gate.set()
        await asyncio.gather(*crowd)
        assert turns._free == 1
        return order

    order = asyncio.run(run())
    assert (order[:7], len(order)) == (["A", "A", "B", "C", "A", "B", "A"], 53)


def test_who_goes_away_while_waiting_leaves_no_gap_and_loses_no_place() -> None:
    async def run() -> None:
        turns = Turns(1)

        async def work() -> None:
            async with turns.turn("A"):
                pass

        async with turns.turn("A"):
            gone, given, last = (asyncio.create_task(work()) for _ in range(3))
            await _settle()
            gone.cancel()
            await _settle()
        given.cancel()  # in the very moment in which it was given the place
        await last
        assert (gone.cancelled(), given.cancelled(), turns._free) == (True, True, 1)

    asyncio.run(run())


def test_large_messages_wait_for_each_other_and_small_ones_do_not_wait_for_them() -> None:
    async def run() -> None:
        held = limits()
        places = [held.turn(A, SMALL_BODY + 1) for _ in range(LARGE_AT_WORK)]
        for place in places:
            await place.__aenter__()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), held.turn(B, SMALL_BODY + 1):
                pass
        async with held.turn(B, SMALL_BODY):
            pass

    asyncio.run(run())
