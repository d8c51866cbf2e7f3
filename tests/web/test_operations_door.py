# SPDX-License-Identifier: MIT
"""From where the operations pages can be reached, by setting, deployment, scheme and address; and what the cookie is over https."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from notify_gateway.app import create_app
from notify_gateway.settings import Deployment, OperationsPages
from notify_gateway.use_cases import operators
from tests.support.templates import Templates
from tests.use_cases.conftest import House, furnished

HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
OFF, LOOPBACK, NETWORK = OperationsPages.OFF, OperationsPages.LOOPBACK, OperationsPages.NETWORK
LIVE, TEST = Deployment.LIVE, Deployment.TEST


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[House]:
    with contextmanager(furnished)(tmp_path_factory.mktemp("door"), templates, None) as made:
        yield made


def browser(house: House, pages: OperationsPages, deployment: Deployment, scheme: str, address: str) -> TestClient:
    settings = house.gateway.settings.model_copy(update={"operations_pages": pages, "deployment": deployment})
    runtime = replace(house.runtime, gateway=replace(house.gateway, settings=settings))
    client = TestClient(create_app(runtime), f"{scheme}://ops.example", client=(address, 50000), follow_redirects=False)
    client.headers.update({"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
    return client


@pytest.mark.parametrize(
    ("pages", "deployment", "scheme", "address", "reached"),
    [
        (OFF, TEST, "http", HERE, False),
        (OFF, LIVE, "https", HERE, False),
        (LOOPBACK, TEST, "http", HERE, True),
        (LOOPBACK, LIVE, "http", HERE, True),
        (LOOPBACK, LIVE, "http", "::1", True),
        (LOOPBACK, TEST, "https", ELSEWHERE, False),
        (LOOPBACK, LIVE, "https", ELSEWHERE, False),
        (NETWORK, LIVE, "https", ELSEWHERE, True),
        (NETWORK, LIVE, "http", ELSEWHERE, False),
        (NETWORK, LIVE, "http", HERE, True),
        (NETWORK, TEST, "http", ELSEWHERE, True),
        (LOOPBACK, TEST, "http", "testclient", False),
    ],
)
def test_the_door_is_where_the_setting_puts_it(
    house: House, pages: OperationsPages, deployment: Deployment, scheme: str, address: str, reached: bool
) -> None:
    client = browser(house, pages, deployment, scheme, address)
    assert client.get("/ops/sign-in").status_code == (200 if reached else 404)
    assert client.get("/ops").status_code == (303 if reached else 404)
    assert client.post("/ops/sign-in", data={"token": "x"}).status_code == (403 if reached else 404)
    assert client.get("/ops/checks.json", headers={"Authorization": "Bearer x"}).status_code == (401 if reached else 404)


def test_over_https_the_cookie_is_secure_and_no_other_host_can_set_it(house: House) -> None:
    client = browser(house, NETWORK, LIVE, "https", ELSEWHERE)
    token = operators.issue_token(house.gateway, name="alex", lasts=timedelta(hours=8), may_act=True, actor="test").text
    answer = client.post("/ops/sign-in", data={"token": token})
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-operations=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} == set(flags)
    value = name.partition("=")[2]
    client.cookies.clear()
    assert client.get("/ops/queues", headers={"Cookie": f"__Host-operations={value}"}).status_code == 200
    assert client.get("/ops/queues", headers={"Cookie": f"operations={value}"}).status_code == 303
