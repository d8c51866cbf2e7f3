# SPDX-License-Identifier: MIT
"""The front page in a real Chromium, wide and narrow: nothing from another site, nothing refused by the policy, nothing off the side."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Request, sync_playwright

from mappings.postcodes import compile_table, demonstration_source
from notify_gateway.app import create_app
from notify_gateway.runtime import Runtime, make_keys
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store.migrate import upgrade_all
from tests.support.services import eventually, free_port
from tools.set_up_tests import find_program


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("service"), deployment=Deployment.DEMONSTRATION)
    make_keys(settings)
    upgrade_all(settings.main_url, settings.shred_url)
    compile_table(demonstration_source(), settings.postcodes, edition="demonstration")
    runtime, port = Runtime.open(settings), free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(runtime), port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started, within=20)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    runtime.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
    found = find_program("chromium", "chromium-browser", "google-chrome")
    assert found is not None, "Chromium is not there: run make set-up"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(found), args=arguments)
        yield opened
        opened.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("width", [1280, 320])
def test_the_front_page_stands_on_its_own(address: str, browser: Browser, width: int, scripts: bool, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    said: list[ConsoleMessage] = []
    asked: list[Request] = []
    page.on("console", lambda message: said.append(message))
    page.on("request", lambda request: asked.append(request))
    response = page.goto(address)
    assert response is not None
    assert response.status == 200
    assert page.title()
    assert [message.text for message in said] == []
    assert {request.url.split("/", 3)[2] for request in asked} == {address.removeprefix("http://")}
    if scripts:
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("main").count() == 1
    links = [link.get_attribute("href") for link in page.get_by_role("link").all()]
    page.close()
    for link in links:
        assert link is not None
        answer = browser.new_context().request.get(f"{address}{link}") if link.startswith("/") else None
        assert answer is None or answer.status in (200, 503), link


@pytest.mark.parametrize("path", ["/", "/static/site.css", "/_status", "/nowhere", "/fhir/R4/Nowhere"])
def test_answers_forbid_framing_sniffing_and_other_sites(address: str, browser: Browser, path: str) -> None:
    headers = browser.new_context().request.get(f"{address}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
