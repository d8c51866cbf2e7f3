# SPDX-License-Identifier: MIT
"""The work of one task: claim, send through the channels, renew the leases meanwhile, record all results in one commit."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import timedelta
from typing import TypeVar

import stamina
import structlog
import uvloop

from notify_gateway.domain.delivery import AttemptResult, Outgoing
from notify_gateway.telemetry.tracing import Act, Silent, Told, span
from workers.channels.protocol import Channel, Channels
from workers.ports import Outbox

T = TypeVar("T")

FINISH_ATTEMPTS = 5
HOLD = timedelta(seconds=1)
LANES = 8

_log = structlog.get_logger("workers.courier")


def _tell_retry(details: stamina.instrumentation.RetryDetails) -> None:
    """Log that something is tried again: the kind of the error, never its text, which may quote a row."""
    _log.warning("retry", error=type(details.caused_by).__name__, attempt=details.retry_num, wait=round(details.wait_for, 2))


# The library's own hooks would log arguments and the error as it prints itself.
stamina.instrumentation.set_on_retry_hooks([_tell_retry])


class Courier:
    """Carries batches for all task threads of a process, over one event loop in a thread of its own, so that connections are kept.

    ``deliver`` may be called from any thread. The leases are renewed at a third of ``lease``.

    Why one slow authority does not hold up the others: the outbox hints no more of it than a few batches at once (``most_under_way``), so
    it never has all of the broker's queue; a batch that is still being sent after ``hold`` gives its slot back and is seen through in one
    of ``LANES`` threads beside, so it has a slot for a second at most; and a receiver that answers nobody opens its circuit with the first
    batch, so there is no second one. Only when more receivers are slow at once than the lanes take, with four batches each, do the slots
    wait with them. That the broker hears a task is done before its results are recorded costs nothing: the lease decides, not the broker.
    """

    def __init__(self, outbox: Outbox, channels: Channels, *, lease: timedelta, hold: timedelta = HOLD) -> None:
        self._outbox, self._channels = outbox, channels
        self._renew_every, self._hold = lease.total_seconds() / 3, hold.total_seconds()
        self._lanes = threading.BoundedSemaphore(LANES)
        self._beside = ThreadPoolExecutor(LANES, thread_name_prefix="lane")
        self._stopping = threading.Event()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="courier", daemon=True)
        self._thread.start()

    def deliver(self, ids: Sequence[str]) -> int:
        """Make one attempt for each id that is claimable, and return how many they are; what takes long is recorded after the return.

        A second call for the same ids finds nothing to claim. A fault of one delivery, or of one channel, leaves the rest alone. When the
        database is away at the end, the leases run out and the attempts are made again.
        """
        with span(Act.DELIVER) as told:
            count = self._deliver(ids)
            told.note(count=count)
        return count

    def _deliver(self, ids: Sequence[str]) -> int:
        owner = secrets.token_hex(8)
        outgoing = self._outbox.begin(ids, owner=owner)
        if not outgoing:
            return 0
        sending = asyncio.run_coroutine_threadsafe(self._send_all(outgoing), self._loop)
        done, _ = wait([sending], timeout=min(self._hold, self._renew_every))
        if done or not self._lanes.acquire(blocking=False):
            self._see_through(sending, outgoing, owner)
        else:
            self._beside.submit(copy_context().run, self._see_through, sending, outgoing, owner).add_done_callback(self._leave_lane)
        return len(outgoing)

    def see_out(self, within: timedelta) -> None:
        """Wait until what takes long has ended and is recorded, or the time is over; call it when no thread is in ``deliver`` any more."""
        until = time.monotonic() + within.total_seconds()
        for _ in range(LANES):
            self._lanes.acquire(timeout=max(0.0, until - time.monotonic()))

    def end_sending(self) -> None:
        """End what is on the wire; those deliveries are recorded as ``retry``, code ``stopping``. Safe to call twice, from any thread."""
        self._stopping.set()
        asyncio.run_coroutine_threadsafe(self._close_channels(), self._loop)

    def close(self) -> None:
        """End what is on the wire, record it, and end the event loop; call it when no thread is in ``deliver`` any more."""
        self._stopping.set()
        asyncio.run_coroutine_threadsafe(self._close_channels(), self._loop).result(timeout=5)
        self._beside.shutdown()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def _see_through(self, sending: Future[list[AttemptResult]], outgoing: Sequence[Outgoing], owner: str) -> None:
        """Renew the leases until all is sent, and record what came of it."""
        ids = [str(each.delivery_id) for each in outgoing]
        while not wait([sending], timeout=self._renew_every).done:
            try:
                self._outbox.renew(ids, owner=owner)
            except Exception as error:
                _log.warning("lease-not-renewed", count=len(ids), error=type(error).__name__)
        results = sending.result()
        self._finish(results, owner)
        _log.info("deliveries-attempted", count=len(results), codes=_tally(results))

    def _leave_lane(self, seen_through: Future[None]) -> None:
        self._lanes.release()
        if (error := seen_through.exception()) is not None:
            _log.error("lane-failed", error=type(error).__name__)

    async def _send_all(self, outgoing: Sequence[Outgoing]) -> list[AttemptResult]:
        batches: dict[str, list[Outgoing]] = defaultdict(list)
        for each in outgoing:
            batches[each.channel].append(each)
        sent = await asyncio.gather(*(self._send_batch(name, batch) for name, batch in batches.items()))
        return [result for results in sent for result in results]

    async def _send_batch(self, name: str, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        channel: Channel | None = self._channels.get(name)
        if channel is None:
            _log.error("channel-unknown", count=len(batch))
            return [AttemptResult.retry(each, "channel-unknown") for each in batch]
        try:
            with span(Act.ATTEMPT, channel=name, count=len(batch)) as told:
                _note_batch(told, batch)
                results = {result.delivery_id: result for result in await channel.send(batch)}
                for code in _only(each.code for each in results.values()):
                    told.note(code=code)
        except Exception as error:
            _log.error("channel-failed", channel=name, count=len(batch), error=type(error).__name__)
            results = {}
        return [results.get(each.delivery_id) or AttemptResult.retry(each, "channel-failed") for each in batch]

    def _finish(self, results: Sequence[AttemptResult], owner: str) -> None:
        tries = stamina.retry_context(on=Exception, attempts=FINISH_ATTEMPTS, wait_initial=0.2, wait_max=2.0, timeout=None)
        try:
            with span(Act.RECORD, count=len(results)):
                for attempt in tries:
                    with attempt:
                        self._outbox.finish(results, owner=owner)
        except Exception as error:
            # Nothing is lost: the leases run out, and the attempts are made again under the same ids.
            _log.warning("results-not-recorded", count=len(results), error=type(error).__name__)

    async def _close_channels(self) -> None:
        for channel in self._channels.values():
            await channel.close()


def _note_batch(told: Silent | Told, batch: Sequence[Outgoing]) -> None:
    """Tell whose batch it is where it is one authority's, and its delivery where it is one."""
    for authority in _only(each.authority for each in batch):
        told.note(authority=authority)
    for delivery in _only(each.delivery_id for each in batch):
        told.note(delivery=delivery)


def _only(values: Iterable[T]) -> set[T]:
    """Return the value that all are, or nothing."""
    found = set(values)
    return found if len(found) == 1 else set()


def _tally(results: Sequence[AttemptResult]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for result in results:
        counts[result.code] += 1
    return dict(counts)
