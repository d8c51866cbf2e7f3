# SPDX-License-Identifier: MIT
"""A back-book: many messages in one call, as many at once as memory and the neighbours allow, each answered as if it had come alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias
from uuid import UUID, uuid5

import structlog
from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Duplicate, Issue, NotifyError, Unavailable
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client
from notify_gateway.store.resent import Resent, find_resent
from notify_gateway.use_cases.accept import Accepted, accept
from notify_gateway.use_cases.commit import Committer, Expected
from notify_gateway.use_cases.examine import CheckStructure
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.prepare import Received

LOG = structlog.get_logger(__name__)

AHEAD_LINES = 64
"""Lines of one call that may be on their way: read, and not yet answered."""
AHEAD_BYTES = 4 * 1024 * 1024
"""Bytes of one call that may be on their way; a line always finds room when it is the only one."""
MOST_CALLS = 4
"""Calls that one client may have under way in one process: with the above, what a client can hold of its memory."""
LEFT_TO_OTHERS, LONGEST_REST = 4, 0.05
"""While others are at the door a message is read in a fifth of the time at most, and no rest is longer than this many seconds."""
_OF_A_LINE = UUID("0c7a3cfe-52d4-5d0f-9c1e-7d2f2a6f1e0b")
_REFERS_BACK = (b'"update"', b'"delete"')


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the back-book, counted from 1, with one message on it."""

    number: int
    body: PrivateBytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one line: accepted, or an error; ``resent`` is what an earlier sending of the very same line came to."""

    line: int
    request_id: UUID | None = None
    accepted: Accepted | None = None
    error: NotifyError | None = None
    resent: Resent | None = None


class Pause(Enum):
    """The sender has paused: it may be waiting for the answers to what it has sent."""

    PAUSE = "pause"


PAUSE = Pause.PAUSE
Item: TypeAlias = Line | Answered | Pause
"""What comes in: a line; the answer to a line that could not be read at all; a pause."""
Coming: TypeAlias = "tuple[asyncio.Task[Answered] | Answered | Pause, int] | None"


class Turns:
    """What the calls of one process share: one of their messages is read at a time, so that one that comes alone waits for one at most."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._calls: Counter[UUID] = Counter()

    def arrive(self, client_id: UUID) -> Callable[[], None]:
        """Count a call, and return what ends it; raises ``Unavailable`` when the client has as many as memory allows."""
        if self._calls[client_id] >= MOST_CALLS:
            raise Unavailable(Code.RATE_LIMITED, retry_after=2)
        self._calls[client_id] += 1

        def leave() -> None:
            self._calls[client_id] -= 1

        return leave

    @property
    def calls(self) -> int:
        """Return how many calls are under way."""
        return self._calls.total()

    async def take(self, start: Callable[[Expected], None], crowded: Callable[[], bool]) -> None:
        """Start the reading of a message when it is its turn; return when it has been read.

        Where others are at the door, the time that it took is left to them several times over.
        """
        read = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with self._lock:
            began = loop.time()
            start(Expected(lambda _: read.set()))
            await read.wait()
            if crowded():
                await asyncio.sleep(min(LEFT_TO_OTHERS * (loop.time() - began), LONGEST_REST))


class BackBook:
    """One call. ``may_go_on`` is asked before each line: it returns when it may be read, and raises when the call must end.

    ``crowded`` tells whether anybody but back-books is at the door.
    """

    def __init__(
        self,
        gateway: Gateway,
        committer: Committer,
        turns: Turns,
        *,
        client: Client,
        correlation_id: UUID,
        check_large: CheckStructure,
        may_go_on: Callable[[], Awaitable[None]],
        crowded: Callable[[], bool],
    ) -> None:
        self._gateway, self._committer, self._turns = gateway, committer, turns
        self._client, self._correlation_id, self._check_large = client, correlation_id, check_large
        self._may_go_on, self._crowded = may_go_on, crowded
        self._coming: asyncio.Queue[Coming] = asyncio.Queue()
        self._room = _Room()

    async def answers(self, lines: AsyncIterator[Item]) -> AsyncGenerator[Answered | Pause, None]:
        """Yield the answer to each line, in the order of the lines, once it is durable.

        What comes out is what single posts, one after the other, would have come to. When the service cannot go on, the lines that were
        read are answered, no further line is read, and the reason is raised; so is what ``lines`` and ``may_go_on`` raise.
        """
        pump = asyncio.create_task(self._pump(lines))
        stopped: NotifyError | None = None
        try:
            while (coming := await self._coming.get()) is not None:
                what, size = coming
                answer = await what if isinstance(what, asyncio.Task) else what
                yield answer
                await self._room.leave(size)
                if stopped is None and (stopped := _why_stop(answer)) is not None:
                    pump.cancel()
            if stopped is not None:
                raise stopped
            await pump
        finally:
            # Whoever goes away leaves what is on its way to the committer there: it is kept, and known again when it is resent.
            pump.cancel()

    async def _pump(self, lines: AsyncIterator[Item]) -> None:
        try:
            async for item in lines:
                if isinstance(item, Line):
                    await self._may_go_on()
                    await self._begin(item)
                else:
                    await self._room.enter(0)
                    self._coming.put_nowait((item, 0))
        finally:
            self._coming.put_nowait(None)

    async def _begin(self, line: Line) -> None:
        body = line.body.reveal()
        size = len(body)
        # Whether there is something to update or to withdraw is looked up while the message is read, so what came before must be kept by
        # then; and what comes after must find the update or withdrawal made.
        refers_back = any(word in body for word in _REFERS_BACK)
        if refers_back:
            await self._room.empty()
        await self._room.enter(size)

        def start(expected: Expected) -> None:
            self._coming.put_nowait((asyncio.create_task(self._answer(line, expected)), size))

        await self._turns.take(start, self._crowded)
        if refers_back:
            await self._room.empty()

    async def _answer(self, line: Line, expected: Expected) -> Answered:
        request_id = self._request_id(line.body)
        received = Received(line.body, self._client, request_id, self._correlation_id)
        try:
            accepted = await accept(self._gateway, self._committer, received, check_large=self._check_large, expected=expected)
        except Duplicate as error:
            return Answered(line.number, request_id, error=error, resent=await asyncio.to_thread(self._find_resent, request_id))
        except NotifyError as error:
            return Answered(line.number, request_id, error=error)
        except SQLAlchemyError:
            return Answered(line.number, request_id, error=Unavailable(Code.DATABASE_UNAVAILABLE))
        except Exception as error:
            # The text of an unforeseen error may quote what was being read, so only its kind is logged.
            LOG.error("unhandled", error=type(error).__name__, route="bulk")
            return Answered(line.number, request_id, error=NotifyError(Issue(Code.SERVER_ERROR)))
        finally:
            expected.is_here()
        return Answered(line.number, request_id, accepted=accepted)

    def _request_id(self, body: PrivateBytes) -> UUID:
        """Return the id of the request that this line is: the same for the same bytes of the same client, and for nothing else."""
        pseudonyms = self._gateway.pseudonyms
        digest = pseudonyms.keyed_digest("bulk-line", body.reveal(), pseudonyms.versions[-1])
        return uuid5(_OF_A_LINE, f"{self._client.id}:{digest.hex()}")

    def _find_resent(self, request_id: UUID) -> Resent | None:
        try:
            with reading(self._gateway.engine).begin() as connection:
                return find_resent(connection, client_id=self._client.id, request_id=request_id)
        except SQLAlchemyError:
            # That it is a duplicate is known; the rest is to be had at its Task.
            return None


class _Room:
    """Room for so many lines and bytes."""

    def __init__(self) -> None:
        self._lines = self._bytes = 0
        self._changed = asyncio.Condition()

    async def enter(self, size: int) -> None:
        """Return when there was room for one line more."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._lines or self._fits(size))
            self._lines += 1
            self._bytes += size

    async def leave(self, size: int) -> None:
        """Make room."""
        async with self._changed:
            self._lines -= 1
            self._bytes -= size
            self._changed.notify_all()

    async def empty(self) -> None:
        """Return when all that had entered has left."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._lines)

    def _fits(self, size: int) -> bool:
        return self._lines < AHEAD_LINES and self._bytes + size <= AHEAD_BYTES


def _why_stop(answer: Answered | Pause) -> NotifyError | None:
    """Return the error that the lines to come would meet as well, if this is one: the service, or the client's rate, is at its limit."""
    if isinstance(answer, Pause) or answer.error is None:
        return None
    return answer.error if entry(answer.error.issues[0].code).status in (429, 503) else None
