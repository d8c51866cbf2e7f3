# SPDX-License-Identifier: MIT
"""The one contract of all custody channels, held against each on its bench with a real far end."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.domain.route import PARTS, ChannelName, read_route
from tests.workers.channel_benches import BENCHES, Bench, an_outgoing
from workers.channels.signature import RequestSigner
from workers.run import WorkerValues, make_channels

LONGEST = 30.0
"""Seconds that any sending of a few deliveries may take here, faults and all."""
CLOSES_WITHIN = 5.0
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")


@pytest.fixture(params=list(BENCHES))
def channel(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bench(channel: str, tmp_path: Path) -> Iterator[Bench]:
    with BENCHES[channel](tmp_path) as made:
        yield made


def send(bench: Bench, *batches: Sequence[Outgoing]) -> list[list[AttemptResult]]:
    """Send the batches one after the other through one channel, and close it."""

    async def run() -> list[list[AttemptResult]]:
        channel = bench.make()
        try:
            return [await asyncio.wait_for(channel.send(batch), LONGEST) for batch in batches]
        finally:
            await channel.close()

    return asyncio.run(run())


def require_answered(batch: Sequence[Outgoing], results: Sequence[AttemptResult]) -> None:
    """There is one result for each delivery, in the same order, for the attempt that was made, with a code fit for a row and a log."""
    assert [(result.delivery_id, result.attempt) for result in results] == [(each.delivery_id, each.attempt) for each in batch]
    for result in results:
        assert _CODE.fullmatch(result.code)
        assert (result.digest is not None) == (result.outcome is AttemptOutcome.RECEIVED)


def went_wrong(bench: Bench, results: Sequence[AttemptResult]) -> list[str]:
    """Return the codes of those that did not come to what a good delivery comes to."""
    return [result.code for result in results if result.outcome is not bench.success]


def require_true(bench: Bench, batch: Sequence[Outgoing], results: Sequence[AttemptResult]) -> None:
    """What is told as offered or received is with the receiver, once; what is told as failed may be or may not."""
    applied = bench.applied()
    for each, result in zip(batch, results, strict=True):
        if applied is not None and result.outcome is not AttemptOutcome.RETRY:
            assert applied[each.delivery_id] == 1


def test_every_channel_of_this_release_is_held_to_the_contract(signer: RequestSigner) -> None:
    assert set(BENCHES) >= set(make_channels(WorkerValues(broker_url="memory://", signer=signer)))
    assert set(BENCHES) <= set(ChannelName)


def test_a_good_batch_arrives_in_one_result_each_and_in_order(channel: str, bench: Bench) -> None:
    assert read_route(channel, bench.good()) == bench.good()
    batch = [an_outgoing(channel, bench.good()) for _ in range(12)]
    [results] = send(bench, batch)
    require_answered(batch, results)
    assert went_wrong(bench, results) == []
    require_true(bench, batch, results)


def test_an_empty_batch_comes_to_nothing(bench: Bench) -> None:
    assert send(bench, []) == [[]]


def test_one_fault_never_harms_the_rest(channel: str, bench: Bench) -> None:
    good = [an_outgoing(channel, bench.good()) for _ in range(4)]
    bad = [an_outgoing(channel, route) for route in bench.broken().values()]
    batch = [good[0], *bad[::2], *good[1:3], *bad[1::2], good[3]]
    [results] = send(bench, batch)
    require_answered(batch, results)
    outcomes = {result.delivery_id: result.outcome for result in results}
    assert {outcomes[each.delivery_id] for each in good} == {bench.success}
    assert {outcomes[each.delivery_id] for each in bad} <= {AttemptOutcome.RETRY}
    require_true(bench, batch, results)
    assert bool(bad) == bool(PARTS[ChannelName(channel)])


def test_a_route_that_is_no_route_is_tried_again_with_a_code(channel: str, bench: Bench) -> None:
    parts = PARTS[ChannelName(channel)]
    routes: list[dict[str, str]] = [{}, {"elsewhere": "x"}]
    routes += [{name: value for name, value in bench.good().items() if name != left_out} for left_out in parts]
    routes += [{**bench.good(), spoilt: "\x00 \r\n%s{}"} for spoilt in parts]
    batch = [an_outgoing(channel, route) for route in routes]
    [results] = send(bench, batch)
    require_answered(batch, results)
    assert {result.outcome for result in results} == {AttemptOutcome.RETRY if parts else bench.success}


def test_a_document_that_is_none_harms_nobody_else(channel: str, bench: Bench) -> None:
    good = an_outgoing(channel, bench.good())
    odd = [an_outgoing(channel, bench.good()) for _ in range(3)]
    contents = (b"", b"\xff\xfe\x00", b"[]")
    batch = [Outgoing(o.delivery_id, o.authority, channel, 1, o.route, content) for o, content in zip(odd, contents, strict=True)]
    [results] = send(bench, [*batch, good])
    require_answered([*batch, good], results)
    assert results[-1].outcome is bench.success


def test_sent_twice_it_has_one_effect(channel: str, bench: Bench) -> None:
    batch = [an_outgoing(channel, bench.good()) for _ in range(3)]
    again = [Outgoing(o.delivery_id, o.authority, channel, 2, o.route, o.document) for o in batch]
    first, second = send(bench, batch, again)
    [third] = send(bench, again)  # as another worker would, that knows nothing of the first
    for sent, results in ((batch, first), (again, second), (again, third)):
        require_answered(sent, results)
        assert went_wrong(bench, results) == []
        require_true(bench, sent, results)


def test_closing_ends_what_is_under_way(channel: str, bench: Bench) -> None:
    route = bench.hanging()
    assert (route is None) == (not PARTS[ChannelName(channel)])
    batch = [an_outgoing(channel, route or bench.good()) for _ in range(3)]

    async def run() -> tuple[list[AttemptResult], list[AttemptResult]]:
        made = bench.make()
        sending = asyncio.create_task(made.send(batch))
        async with asyncio.timeout(LONGEST):
            while not (bench.is_hanging() or sending.done()):
                await asyncio.sleep(0.01)
        async with asyncio.timeout(CLOSES_WITHIN):
            await made.close()
            ended = await sending
            await made.close()
        return ended, await made.send([an_outgoing(channel, bench.good())])

    ended, afterwards = asyncio.run(run())
    require_answered(batch, ended)
    if route is not None:
        assert {(result.outcome, result.code) for result in (*ended, *afterwards)} == {(AttemptOutcome.RETRY, "stopping")}


def test_logs_and_codes_hold_nothing_of_a_document(channel: str, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    routes = [bench.good(), *bench.broken().values(), {}, {"elsewhere": "x"}]
    batch = [an_outgoing(channel, route) for route in routes]
    with capture_logs() as told, caplog.at_level(logging.DEBUG):
        [results] = send(bench, batch)
    lines = "\n".join([*map(repr, told), *(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records), repr(results)])
    for each in batch:
        document = orjson.loads(each.document)
        sealed = [part for envelope in document["envelopes"].values() for part in envelope.values()]
        for secret in (document["view"]["child"], document["view_digest"], *(text[:24] for text in sealed)):
            assert secret not in lines
