# SPDX-License-Identifier: MIT
"""A call with many messages: how far it reads ahead, in what turn, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from uuid import uuid4

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotifyError, Unavailable
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.fhir.structure import check_structure
from notify_gateway.store.tables import messages
from notify_gateway.use_cases.bulk import AHEAD_BYTES, AHEAD_LINES, MOST_CALLS, Answered, BackBook, Line, Turns
from notify_gateway.use_cases.commit import Expected
from tests.support.messages import a_message
from tests.use_cases.conftest import House


async def always() -> None:
    """A call may go on."""


def book(house: House, turns: Turns, may_go_on: Callable[[], Awaitable[None]] = always) -> BackBook:
    return BackBook(
        house.gateway,
        house.committer,
        turns,
        client=house.trust,
        correlation_id=uuid4(),
        check_large=check_structure,
        may_go_on=may_go_on,
        crowded=lambda: False,
    )


class Feed:
    """Lines that count how many of them were taken."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self._bodies = bodies
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[Line]:
        for number, body in enumerate(self._bodies, 1):
            self.taken = number
            yield Line(number, PrivateBytes(body))


ON_ONE = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
"""How far a call reads ahead does not depend on the database."""


@ON_ONE
@pytest.mark.parametrize(("body", "most"), [(b"x", AHEAD_LINES), (b"x" * (AHEAD_BYTES // 3), 3)], ids=["lines", "bytes"])
def test_nothing_is_read_ahead_beyond_what_memory_may_hold(house: House, body: bytes, most: int) -> None:
    feed = Feed([body] * (AHEAD_LINES * 3))

    async def read_one_answer() -> None:
        async with aclosing(book(house, Turns()).answers(feed.__aiter__())) as answers:
            first = await anext(answers)
            assert isinstance(first, Answered)
            # As long as the first answer is not taken off, its line holds its place.
            seen = -1
            while seen != feed.taken:
                seen = feed.taken
                await asyncio.sleep(0.05)
            assert feed.taken <= most + 1
            assert feed.taken >= most

    asyncio.run(read_one_answer())


@ON_ONE
def test_when_the_call_may_not_go_on_what_was_read_is_answered_first(house: House) -> None:
    read = 0

    async def thrice() -> None:
        nonlocal read
        read += 1
        if read > 3:
            raise Unavailable(Code.LOG_BEHIND)

    answers: list[Answered] = []

    async def send() -> None:
        feed = Feed([a_message().bytes() for _ in range(6)])
        async for answer in book(house, Turns(), thrice).answers(feed.__aiter__()):
            assert isinstance(answer, Answered)
            answers.append(answer)

    with pytest.raises(Unavailable):
        asyncio.run(send())
    assert [answer.line for answer in answers] == [1, 2, 3]
    assert all(answer.accepted for answer in answers)
    assert house.count(messages) == 3


@ON_ONE
def test_a_committer_that_can_keep_nothing_ends_the_call(house: House) -> None:
    house.committer.stop()
    answers: list[Answered] = []

    async def send() -> None:
        feed = Feed([a_message().bytes() for _ in range(AHEAD_LINES * 4)])
        async for answer in book(house, Turns()).answers(feed.__aiter__()):
            assert isinstance(answer, Answered)
            answers.append(answer)

    with pytest.raises(Unavailable) as stopped:
        asyncio.run(send())
    assert stopped.value.issues[0].code == Code.OVERLOADED
    assert 0 < len(answers) <= AHEAD_LINES + 1
    assert [answer.line for answer in answers] == list(range(1, len(answers) + 1))
    assert all(isinstance(answer.error, Unavailable) for answer in answers)


def test_one_message_is_read_at_a_time_whatever_the_number_of_calls() -> None:
    turns, at_once, most = Turns(), 0, 0

    async def read(expected: Expected) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        expected.is_here()

    reading: list[asyncio.Task[None]] = []

    async def call() -> None:
        for _ in range(5):
            await turns.take(lambda expected: reading.append(asyncio.create_task(read(expected))), lambda: False)

    async def several() -> None:
        await asyncio.gather(call(), call(), call())

    asyncio.run(several())
    assert most == 1


def test_most_of_the_time_is_left_to_others_who_are_at_the_door() -> None:
    async def take(crowded: bool) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        started: list[asyncio.TimerHandle] = []
        await Turns().take(lambda expected: started.append(loop.call_later(0.01, expected.is_here)), lambda: crowded)
        return loop.time() - began

    alone, beside = asyncio.run(take(False)), asyncio.run(take(True))
    assert beside - alone > 0.02
    assert beside < 1


def test_a_client_has_so_many_calls_at_once_and_its_neighbour_as_many() -> None:
    turns, one, other = Turns(), uuid4(), uuid4()
    leave = [turns.arrive(one) for _ in range(MOST_CALLS)]
    with pytest.raises(NotifyError) as refused:
        turns.arrive(one)
    assert refused.value.issues[0].code == Code.RATE_LIMITED
    turns.arrive(other)
    leave[0]()
    turns.arrive(one)
