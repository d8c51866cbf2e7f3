# SPDX-License-Identifier: MIT
"""Traces tell of acts by codes, counts and ids: canaries go through the journey and its failures, and no span holds one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from sqlalchemy import text
from structlog.testing import capture_logs

from notify_gateway.cli.outbox import DatabaseOutbox
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptResult, Outgoing
from notify_gateway.domain.errors import NotifyError, Refused, Unavailable
from notify_gateway.egress.traces import CollectorExporter, document, tracer_to
from notify_gateway.runtime import open_sequencer
from notify_gateway.telemetry import tracing
from notify_gateway.telemetry.tracing import ATTRIBUTES, Act
from notify_gateway.use_cases import deliver, examine
from tests.leaks.canaries import CANARIES, NUMBER, Evidence, a_canary, search
from tests.leaks.test_leaks import REFUSALS, large
from tests.support.service import PULL, WEBHOOK
from tests.support.templates import Templates
from tests.support.waiting import free_port
from tests.use_cases.conftest import House, furnished
from workers.channels.pull import PullChannel
from workers.courier import Courier


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[House]:
    yield from furnished(tmp_path_factory.mktemp("traced"), templates, None)


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.begin(tracer_to(SimpleSpanProcessor(exporter), "test"))
    yield exporter
    tracing.begin(None)


class Blabbing:
    """A channel whose fault quotes all that it was to send."""

    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        raise RuntimeError(f"cannot send {NUMBER} Vorpalstone {[each.document for each in batch]}")

    async def close(self) -> None:
        """Nothing is open."""


def go_all_the_way(house: House) -> None:
    for message in (a_canary(), a_canary(WEBHOOK), large(a_canary())):
        house.accept(message)
    courier = Courier(DatabaseOutbox(house.gateway), {"pull": PullChannel(), "webhook": Blabbing()}, lease=timedelta(seconds=15))
    for hint in deliver.find_due(house.gateway):
        assert courier.deliver(hint.ids)
    courier.close()
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    assert sequencer.run_once()
    assert sequencer.run_once() == 0
    sequencer.close()


def fail_in_every_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for spoil in REFUSALS.values():
        with pytest.raises(NotifyError):
            house.accept(spoil(a_canary()))

    def blab(*arguments: object, **_: object) -> None:
        raise RuntimeError(f"cannot judge {CANARIES} {arguments}") from ValueError(NUMBER)

    with monkeypatch.context() as patched:
        patched.setitem(vars(examine), "judge", blab)
        with pytest.raises(RuntimeError):
            house.accept(a_canary())

    with house.gateway.engine.begin() as connection:
        connection.execute(text("CREATE TRIGGER made_to_fail BEFORE INSERT ON ages BEGIN SELECT RAISE(ABORT, 'made to fail'); END"))
    with pytest.raises(Unavailable):
        house.accept(a_canary())
    with house.gateway.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER made_to_fail"))


def test_no_span_of_journey_refusal_error_and_failing_database_holds_a_canary(
    house: House, kept: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_all_the_way(house)
    fail_in_every_way(house, monkeypatch)
    spans = kept.get_finished_spans()

    assert {span.name for span in spans} == set(Act)
    assert {name for span in spans for name in span.attributes or {}} == set(ATTRIBUTES)
    assert not [span for span in spans if span.events or span.links or span.status.description]
    everything = [Evidence(f"span {span.name}", span.to_json().encode()) for span in spans]
    assert search([*everything, Evidence("what is sent", json.dumps(document(spans)).encode())]) == []

    told = Counter((span.name, (span.attributes or {}).get("notify.error"), (span.attributes or {}).get("notify.code")) for span in spans)
    assert told["accept", None, None] == 3
    assert told["accept", "RuntimeError", Code.SERVER_ERROR.value] == told["examine", "RuntimeError", Code.SERVER_ERROR.value] == 1
    assert told["accept", "Unavailable", Code.DATABASE_UNAVAILABLE.value] == 1
    assert told["commit-group", "IntegrityError", Code.DATABASE_UNAVAILABLE.value] == 1
    assert told["attempt", "RuntimeError", Code.SERVER_ERROR.value] == 1
    assert sum(count for (name, error, _), count in told.items() if (name, error) == ("accept", "Refused")) > 10
    assert told["sequence", None, None] == 1


def test_a_leak_into_a_span_would_be_found(kept: InMemorySpanExporter) -> None:
    with tracing.span(Act.ATTEMPT, channel="Vorpalstone"):
        pass
    (span,) = kept.get_finished_spans()
    assert search([Evidence("span", span.to_json().encode())])


def test_the_spans_of_an_act_hang_together(house: House, kept: InMemorySpanExporter) -> None:
    accepted = house.accept(a_canary())
    spans = {span.name: span for span in kept.get_finished_spans()}
    root = spans["accept"]
    assert root.parent is None
    assert parents(spans.values(), root) == {"examine", "split", "commit"}
    assert (root.attributes or {}) == {"notify.notification": str(accepted.notification_id), "notify.authority": PULL}
    kept.clear()
    courier = Courier(DatabaseOutbox(house.gateway), {"pull": PullChannel()}, lease=timedelta(seconds=15))
    courier.deliver(next(hint.ids for hint in deliver.find_due(house.gateway) if hint.authority == PULL))
    courier.close()
    spans = {span.name: span for span in kept.get_finished_spans()}
    assert parents(spans.values(), spans["deliver"]) == {"attempt", "record"}
    said = {"notify.channel", "notify.authority", "notify.delivery", "notify.code", "notify.count"}
    assert set(spans["attempt"].attributes or {}) == said


def parents(spans: Any, root: ReadableSpan) -> set[str]:
    assert root.context is not None
    return {span.name for span in spans if span.parent and span.parent.span_id == root.context.span_id}


def test_libraries_find_no_provider_to_add_spans_to(kept: InMemorySpanExporter) -> None:
    with trace.get_tracer("some.library").start_as_current_span("GET /child/Vorpalstone"):
        pass
    assert kept.get_finished_spans() == ()


def test_while_it_is_off_nothing_of_the_sdk_is_loaded() -> None:
    # Where the SDK is installed, the client of Redis loads its metrics by itself, and starts nothing.
    modules = "notify_gateway.app, notify_gateway.cli.run, notify_gateway.use_cases.sequence, workers.courier"
    code = f"import sys, {modules}; print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert tracing.span(Act.ACCEPT) is tracing.span(Act.COMMIT)


class Collector(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    taken: list[tuple[str | None, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_collector_is_sent_what_it_understands_and_one_that_is_away_is_told_of_once(kept: InMemorySpanExporter) -> None:
    with pytest.raises(Refused), tracing.span(Act.ACCEPT, count=3):
        raise Refused.because(Code.CONTENT_TYPE)
    spans = kept.get_finished_spans()
    Collector.taken = []
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.handle_request).start()
        exporter = CollectorExporter(f"http://127.0.0.1:{server.server_port}/v1/traces")
        with capture_logs() as logs:
            exporter.export(spans)
        exporter.shutdown()
    ((media, sent),) = Collector.taken
    (resource,) = sent["resourceSpans"]
    (span,) = resource["scopeSpans"][0]["spans"]
    assert (media, logs) == ("application/json", [])
    assert {each["key"]: each["value"] for each in resource["resource"]["attributes"]}["service.name"] == {"stringValue": "notify-gateway"}
    assert (span["name"], span["status"], len(span["traceId"]), len(span["spanId"])) == ("accept", {"code": StatusCode.ERROR.value}, 32, 16)
    assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert {each["key"]: each["value"] for each in span["attributes"]} == {
        "notify.count": {"intValue": "3"},
        "notify.error": {"stringValue": "Refused"},
        "notify.code": {"stringValue": Code.CONTENT_TYPE.value},
    }

    away = CollectorExporter(f"http://127.0.0.1:{free_port()}/v1/traces")
    with capture_logs() as logs:
        for _ in range(3):
            away.export(spans)
    away.shutdown()
    assert [each["event"] for each in logs] == ["traces-not-taken"]
