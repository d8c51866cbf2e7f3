# SPDX-License-Identifier: MIT
"""Fairness at the door: a rate and a bounded presence per client, turns in rotation, one request per X-Request-ID at a time.

All of it is memory of one gateway process and used from its event loop alone, so nothing is locked and a call costs about a microsecond.
Nothing outside is asked: a Redis that was wiped cannot stop a notification. With several replicas each grants the whole rate. The libraries
for this keep every key for ever or start a timer thread with each request, and none gives back what was no offence.
"""

from __future__ import annotations

import ipaddress
import time
from asyncio import Future, get_running_loop
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from math import ceil
from uuid import UUID

from starlette.types import Scope

from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Conflict, Issue, NotAllowed, Unavailable
from notify_gateway.settings import Settings
from notify_gateway.use_cases.accept import SMALL_BODY

LEAVING = "notify_gateway.leaving"
"""Where a request's scope holds what is to be done when it has been answered."""

MOST_REMEMBERED = 10_000
AT_WORK, LARGE_AT_WORK = 32, 2
"""Messages worked on at once, small and large: enough to fill a commit while another is prepared, few enough that a turn comes soon."""


class Rate:
    """So many a second on average and so many at once, for each key (generic cell rate algorithm); a rate of 0 sets no limit."""

    def __init__(self, per_second: float, burst: int, *, clock: Callable[[], float] = time.monotonic, most: int = MOST_REMEMBERED) -> None:
        self._step = 1 / per_second if per_second else 0.0
        self._burst = burst
        self._clock = clock
        self._most = most
        self._due: dict[Hashable, float] = {}

    def take(self, key: Hashable, cost: int = 1) -> float:
        """Count ``cost`` and return 0, or count nothing and return the seconds after which it would fit.

        What costs more than may come at once is let in when nothing is owed, and paid for by what comes after it.
        """
        if not self._step:
            return 0.0
        now = self._clock()
        due = max(self._due.get(key, 0.0), now)
        wait = due - now - max(self._burst - cost, 0) * self._step
        if wait > 1e-9:
            return wait
        self._due[key] = due + cost * self._step
        if len(self._due) > self._most:
            self._forget(now)
        return 0.0

    def give_back(self, key: Hashable) -> None:
        """Undo one that was counted."""
        if key in self._due and self._step:
            self._due[key] -= self._step

    def _forget(self, now: float) -> None:
        # Whoever owes nothing stands as if it had never come; beyond that the oldest go, so that memory stays bounded.
        owing = {key: due for key, due in self._due.items() if due > now}
        for key in list(owing)[: max(0, len(owing) - self._most // 2)]:
            del owing[key]
        self._due = owing


class Turns:
    """So many at work at once; whoever has to wait is let in by turns among the clients, so that a crowd of one delays nobody else."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[Hashable, deque[Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for the turn of ``key``, and hold a place until the block ends."""
        if self._free and not self._waiting:
            self._free -= 1
        else:
            await self._wait(key)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, key: Hashable) -> None:
        mine: Future[None] = get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(mine)
        try:
            await mine
        except BaseException:
            # Whoever goes away hands on the place that it may have been given in the same moment.
            if mine.done() and not mine.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            key, queue = self._waiting.popitem(last=False)
            following = queue.popleft()
            if queue:
                self._waiting[key] = queue
            if not following.done():
                following.set_result(None)
                return
        self._free += 1


class Limits:
    """What one gateway process grants each client and each address."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clients = Rate(settings.client_rate, settings.client_burst, clock=clock)
        self._addresses = Rate(settings.address_rate, settings.address_burst, clock=clock)
        self._sign_ins = Rate(settings.sign_in_failures / 60, settings.sign_in_failures, clock=clock)
        self._most_present = settings.client_requests
        self._present: dict[UUID, int] = {}
        self._in_progress: set[tuple[UUID, UUID]] = set()
        self._seen_good: OrderedDict[int, None] = OrderedDict()
        self._turns, self._large_turns = Turns(AT_WORK), Turns(LARGE_AT_WORK)

    def arrive(self, scope: Scope, client_id: UUID) -> None:
        """Count a request of a client until it has been answered; raises ``Unavailable`` when it has too many, or comes too fast."""
        present = self._present.get(client_id, 0)
        if present >= self._most_present:
            raise Unavailable(Code.RATE_LIMITED, retry_after=1)
        self.spend(client_id)
        self._present[client_id] = present + 1
        scope.setdefault(LEAVING, []).append(lambda: self._leave(client_id))

    def spend(self, client_id: UUID, count: int = 1) -> None:
        """Count against a client's rate, a bulk's lines for instance; raises ``Unavailable`` with the time to wait."""
        _require(self._clients.take(client_id, count))

    @property
    def present(self) -> int:
        """Return how many requests of known clients are under way."""
        return sum(self._present.values())

    def turn(self, client_id: UUID, size: int = 0) -> AbstractAsyncContextManager[None]:
        """Return the wait for a client's turn to have a message of so many bytes worked on; large ones wait for each other alone."""
        return (self._turns if size <= SMALL_BODY else self._large_turns).turn(client_id)

    def require_address(self, address: str) -> None:
        """Count a request without a token against its address; raises ``Unavailable`` when it comes too fast."""
        _require(self._addresses.take(_network(address)))

    @contextmanager
    def signing_in(self, address: str, credential: str) -> Iterator[None]:
        """Count the sign-ins of an address that fail; raises ``Unavailable`` when there were too many.

        A credential that was good before is not counted, so that nobody behind the same address is kept out by somebody else's mistakes.
        """
        mark, network = hash(credential), _network(address)
        known = mark in self._seen_good
        if not known:
            _require(self._sign_ins.take(network))
        try:
            yield
        except BaseException as error:
            if not (isinstance(error, NotAllowed) and entry(error.issues[0].code).status == 401):
                self._sign_ins.give_back(network)  # a database that was away is nobody's mistake
            elif known:
                del self._seen_good[mark]
            raise
        if not known:
            self._sign_ins.give_back(network)
        self._seen_good[mark] = None
        if len(self._seen_good) > MOST_REMEMBERED:
            self._seen_good.popitem(last=False)

    @contextmanager
    def one_at_a_time(self, client_id: UUID, request_id: UUID) -> Iterator[None]:
        """Hold a request id while it is worked on; raises ``Conflict`` while another holds it (BaRS: 425, try again)."""
        key = (client_id, request_id)
        if key in self._in_progress:
            raise Conflict(Issue(Code.STILL_PROCESSING))
        self._in_progress.add(key)
        try:
            yield
        finally:
            self._in_progress.discard(key)

    def _leave(self, client_id: UUID) -> None:
        left = self._present[client_id] - 1
        if left:
            self._present[client_id] = left
        else:
            del self._present[client_id]


def address_of(scope: Scope) -> str:
    """Return the address that a request came from, as the trusted proxy tells it where there is one."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def leave(scope: Scope) -> None:
    """Do what was to be done when the request has been answered."""
    for act in scope.get(LEAVING, ()):
        act()


def _require(wait: float) -> None:
    if wait:
        raise Unavailable(Code.RATE_LIMITED, retry_after=max(1, ceil(wait)))


def _network(address: str) -> str:
    """Return what one subscriber has: an IPv4 address, or the /64 network of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
