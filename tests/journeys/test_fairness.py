# SPDX-License-Identifier: MIT
"""A flood from one trust: it is told to wait, and another trust notices nothing (threat 25)."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.messages import Message, a_message
from tests.support.service import Acceptance, RunningService, in_parallel, issue_codes
from tests.support.waiting import ROOT, eventually

CONNECTIONS, EACH = 40, 5
PRESENT, BURST = 8, 60
LIMITS = {
    "NOTIFY_GATEWAY_CLIENT_REQUESTS": str(PRESENT),
    "NOTIFY_GATEWAY_CLIENT_BURST": str(BURST),
    "NOTIFY_GATEWAY_CLIENT_RATE": "1",
    "NOTIFY_GATEWAY_SIGN_IN_FAILURES": "20",
    "NOTIFY_GATEWAY_ADDRESS_RATE": "0",
}
FLOOD, ASKED = 8_000, 100
FACTOR = 5
"""How much longer than on an idle service an answer may take, at the 95th percentile, while another client floods it."""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with RunningService(tmp_path_factory.mktemp("limited") / "it", environment=LIMITS) as running:
        yield running


def told_to_wait(response: httpx2.Response) -> bool:
    """The answer is a 429 as BaRS has it, with the time to wait."""
    if response.status_code != 429:
        return False
    assert issue_codes(response) == ["NG-1108"]
    assert response.json()["issue"][0]["code"] == "throttled"
    assert int(response.headers["retry-after"]) >= 1
    return True


def test_a_flood_is_told_to_wait_and_the_other_trust_is_answered_every_time(limited: RunningService) -> None:
    flood: list[httpx2.Response] = []
    other: list[httpx2.Response] = []
    bodies = [[a_message().bytes() for _ in range(EACH)] for _ in range(CONNECTIONS)]
    quiet: list[Message] = [a_message().from_sender("RYY") for _ in range(20)]

    def act(index: int) -> None:
        with httpx2.Client(base_url=limited.base_url, timeout=60) as client:
            if index == CONNECTIONS:
                other.extend(limited.post(message, token=limited.other_trust_token, client=client) for message in quiet)
            else:
                flood.extend(limited.post(body, client=client) for body in bodies[index])

    in_parallel(CONNECTIONS + 1, act)
    assert [response.status_code for response in other] == [202] * len(quiet)
    waiting = [response for response in flood if told_to_wait(response)]
    accepted = [response for response in flood if response.status_code == 202]
    assert len(waiting) + len(accepted) == CONNECTIONS * EACH
    assert 0 < len(accepted) <= BURST + 30
    assert waiting


def test_a_message_that_was_told_to_wait_is_accepted_when_it_comes_again(limited: RunningService) -> None:
    message = a_message()
    response = limited.post(message)
    while told_to_wait(response):
        response = limited.when(202, lambda: limited.post(message), within=int(response.headers["retry-after"]) + 10)
    Acceptance.of(response)


def test_guessing_tokens_is_slowed_down_and_whoever_has_a_good_one_is_not(limited: RunningService) -> None:
    answers = [limited.get("/fhir/R4/Task", f"ng_trust_{index:043d}") for index in range(30)]
    statuses = [response.status_code for response in answers]
    assert statuses[:20] == [401] * 20
    assert {*statuses[20:]} <= {401, 429}
    assert told_to_wait(answers[-1])
    Acceptance.of(limited.post(a_message().from_sender("RYY"), token=limited.other_trust_token))


@pytest.mark.long
def test_a_flood_leaves_the_other_trusts_latency_alone(tmp_path: Path, make_postgres_database: Callable[[], str], redis_url: str) -> None:
    """100 connections of one trust send as fast as they can, without a rate; the other's 95th percentile stays within ``FACTOR``."""
    main, shred = make_postgres_database(), make_postgres_database()
    no_rate = {"NOTIFY_GATEWAY_CLIENT_RATE": "0"}
    with RunningService(
        tmp_path / "it", database_url=main, shred_url=shred, broker_url=redis_url, gateways=1, environment=no_rate
    ) as service:
        flood = tmp_path / "flood.jsonl"
        flood.write_bytes(b"".join(a_message().bytes() + b"\n" for _ in range(FLOOD)))
        quiet = tmp_path / "quiet.jsonl"
        quiet.write_bytes(b"".join(a_message().from_sender("RYY").bytes() + b"\n" for _ in range(2 * ASKED)))
        idle = _finish(_post(service, quiet, service.other_trust_token, connections=1, count=ASKED))
        accepted = len(service.accepted())
        flooding = _post(service, flood, service.trust_token, connections=100, count=FLOOD)
        eventually(lambda: len(service.accepted()) > accepted + 200, within=60, what="the flood has begun")
        flooded = _finish(_post(service, quiet, service.other_trust_token, connections=1, count=ASKED, skip=ASKED))
        assert flooding.poll() is None, "the flood ended before the other trust was done"
        flooding.kill()
        flooding.communicate()
    assert idle["statuses"] == flooded["statuses"] == {"202": ASKED}
    before, during = (statistics.quantiles(each["latencies"], n=20)[-1] for each in (idle, flooded))
    assert during < FACTOR * max(before, 0.05), (before, during)


def _post(service: RunningService, messages: Path, token: str, *, connections: int, count: int, skip: int = 0) -> subprocess.Popen[str]:
    """Begin to post messages from a process of its own, so that whoever floods does not slow the one who measures."""
    options = {"--skip": skip, "--count": count, "--connections": connections, "--token": token, "--ports": service.ports[0]}
    command = [sys.executable, "-m", "benchmarks.load", str(messages), *(str(part) for option in options.items() for part in option)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(process.communicate(timeout=120)[0])
    return told
