# SPDX-License-Identifier: MIT
"""What ``/metrics`` shows: what was counted and what stands in the database, by codes alone, and at little cost to either."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from notify_gateway.app import create_app
from notify_gateway.cli import observing
from notify_gateway.domain.alerts import AlertKind
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.operating import ParkReason, Standing
from notify_gateway.domain.route import ChannelName
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.engine import open_engine
from notify_gateway.store.operating import Matching
from notify_gateway.use_cases import deliver, measures, operate
from notify_gateway.use_cases.invariants import runs
from tests.support.messages import a_message
from tests.support.services import free_port
from tests.support.templates import Templates
from tests.use_cases.conftest import STOCKTON, House, furnished

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
GSS = re.compile(r"E\d{8}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[House]:
    yield from furnished(tmp_path_factory.mktemp("measured"), templates, None)


def scraped(client: TestClient) -> Series:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(series: Series, name: str, **labels: str) -> float:
    return series.get((f"notify_gateway_{name}", frozenset(labels.items())), 0.0)


def attempted(house: House, code: str) -> None:
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    going = deliver.begin_attempts(house.gateway, ids, owner="w")
    results = [AttemptResult(each.delivery_id, each.attempt, AttemptOutcome.RETRY, code) for each in going]
    deliver.finish_attempts(house.gateway, results, owner="w")


def test_what_is_done_and_what_stands_is_shown_by_codes_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "READ_EVERY", 0.0)
    client = TestClient(create_app(house.runtime), raise_server_exceptions=False)
    before = scraped(client)
    assert value(before, "database_up") == 1

    for _ in range(2):
        house.accept(a_message())
    with pytest.raises(Refused):
        house.accept(a_message().without("parent-informed"))
    attempted(house, "http-503")
    attempt_of = operate.list_deliveries(house.gateway, matching=Matching(), limit=1)[0]
    operate.park(house.gateway, delivery_id=attempt_of.id, reason=ParkReason.TRUST_ASKED, actor="test")
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    sequenced = sequencer.run_once()
    sequencer.close()
    runs.run(house.gateway)
    house.clock.move(timedelta(seconds=30))
    assert client.get("/nothing").status_code == 404

    now = scraped(client)
    refusal = next(iter(labels for name, labels in now if name == "notify_gateway_notifications_refused_total"))
    grown = {
        "notifications_accepted_total": 2,
        "accept_seconds_count": 3,
        "log_entries_sequenced_total": sequenced,
    }
    assert {name: value(now, name) - value(before, name) for name in grown} == grown
    assert value(now, "notifications_refused_total", **dict(refusal)) >= 1
    assert value(now, "commit_group_size_sum") - value(before, "commit_group_size_sum") == 3
    assert (
        value(now, "delivery_attempts_total", channel="pull", code="http-503")
        - value(before, "delivery_attempts_total", channel="pull", code="http-503")
        == 2
    )
    assert value(now, "http_errors_total", code=Code.NO_SUCH_PAGE.value) >= 1
    assert value(now, "http_answers_total", status="404") >= 1
    where = {"authority": STOCKTON, "channel": "pull"}
    assert value(now, "deliveries_open", **where, standing="parked") == 1
    assert value(now, "deliveries_open", **where, standing="failing") == 1
    assert value(now, "deliveries_oldest_seconds", **where, standing="parked") == 30
    assert (value(now, "log_pending_entries"), value(now, "log_checkpoint_age_seconds")) == (0, 30)
    assert (value(now, "invariants_ok"), value(now, "invariants_age_seconds")) == (1, 30)

    of_ours = [labels for name, labels in now if name.startswith("notify_gateway_")]
    strange = {(name, said) for labels in of_ours for name, said in labels if not LABELS[name](said)}
    assert strange == set()


LABELS: dict[str, Callable[[str], object]] = {
    "authority": GSS.fullmatch,
    "channel": list(ChannelName).__contains__,
    "standing": list(Standing).__contains__,
    "status": re.compile(r"0|[1-5]\d\d").fullmatch,
    "code": re.compile(r"NG-\d{4}|[a-z]+(-[a-z0-9]+)*").fullmatch,
    "kind": list(AlertKind).__contains__,
    "le": re.compile(r"[\d.]+|\+Inf").fullmatch,
}
"""What the value of each label may be; a label that is not here may not be."""


def test_scraping_often_asks_the_database_once(house: House) -> None:
    client = TestClient(create_app(house.runtime))
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(house.gateway.engine, "before_cursor_execute", note)
    try:
        scraped(client)
        first = len(asked)
        for _ in range(20):
            scraped(client)
    finally:
        event.remove(house.gateway.engine, "before_cursor_execute", note)
    assert 0 < first <= 12
    assert len(asked) == first


def test_a_database_that_is_away_is_told_and_no_old_gauge_is_shown(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(measures, "READ_EVERY", 0.0)
    client = TestClient(create_app(house.runtime))
    assert value(scraped(client), "database_up") == 1
    away = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    monkeypatch.setitem(vars(house.gateway), "engine", away)
    shown = scraped(client)
    away.dispose()
    assert [name for name, _ in shown if name in {gauge.name for gauge in measures.GAUGES}] == ["notify_gateway_database_up"]
    assert value(shown, "database_up") == 0
    assert ("notify_gateway_notifications_accepted_total", frozenset()) in shown


def test_a_process_without_http_shows_its_metrics_on_loopback_and_goes_without_where_the_port_is_taken() -> None:
    port = free_port()
    observing.show_metrics("worker", port)
    text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    assert "# HELP notify_gateway_delivery_attempts_total" in text
    assert listeners(port) == {"127.0.0.1"}
    with capture_logs() as logs:
        observing.show_metrics("worker", port)
    assert [each["event"] for each in logs] == ["metrics-not-shown"]


def listeners(port: int) -> set[str]:
    return {each.laddr.ip for each in psutil.Process().net_connections("inet") if each.status == "LISTEN" and each.laddr.port == port}
