# SPDX-License-Identifier: MIT
"""The operations pages in a real Chromium: judged by axe-core, wide and narrow, light and dark; worked by keyboard, without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.templates import Templates
from tests.web.operating import PAGES, Operations, fill, operations
from tools import set_up_bruno
from tools.set_up_tests import find_program

AXE = set_up_bruno.FOLDER / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Operations]:
    with operations(tmp_path_factory.mktemp("operations"), templates) as served:
        fill(served)
        # Before there is a browser: its thread has a loop of its own, in which nothing else can wait.
        served.fails("http-418")
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = find_program("chromium", "chromium-browser", "google-chrome")
    assert found is not None, "Chromium is not there: run make set-up"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(found), args=arguments)
        yield opened
        opened.close()


def sign_in(page: Page, running: Operations) -> None:
    """Come to the home page by keyboard alone."""
    page.goto(f"{running.url}/ops")
    page.get_by_label("Operator’s token").focus()
    page.keyboard.type(running.token())
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Home").wait_for()


def judge(page: Page) -> None:
    """Nothing is wrong by axe-core."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == [], page.url


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_every_page_can_be_used_by_everybody_and_loads_nothing_from_elsewhere(
    running: Operations, browser: Browser, width: int, scheme: str
) -> None:
    assert AXE.exists(), "axe-core is not there: run make set-up"
    context: BrowserContext = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, running)
    item = f"/failed/item?id={running.failed}"
    # What is wrong when wide is mostly wrong when narrow too; judging a page costs most of a second.
    judged = ("/sign-in", *PAGES, item) if width > 1000 else ("", "/deliveries", item)
    for path in ("/sign-in", *PAGES, item):
        response = page.goto(f"{running.url}/ops{path}")
        assert response is not None
        assert response.status == 200
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if path in judged:
            judge(page)
    assert said == []
    assert all(url.startswith(f"{running.url}/") for url in asked)
    context.close()


def test_without_scripts_failed_work_is_retried_by_keyboard(running: Operations, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, running)
    page.get_by_role("link", name="Failed work").first.press("Enter")
    page.get_by_role("link", name="Retry all 1 of http-418").press("Enter")
    page.get_by_label("Why").select_option("receiver-mended")
    page.get_by_role("button", name="Retry 1").press("Enter")
    assert "1 queued anew." in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Sign out").press("Enter")
    page.get_by_role("heading", level=1, name="Sign in to operations").wait_for()
    page.goto(f"{running.url}/ops/keys")
    assert page.url == f"{running.url}/ops/sign-in"
