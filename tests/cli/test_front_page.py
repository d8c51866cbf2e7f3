# SPDX-License-Identifier: MIT
"""The front page: whole under the service's own content policy, no other site, no script, and it fits a small screen."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.service import RunningService
from tests.support.services import need_program

STATIC = Path(__file__).parents[2] / "notify_gateway/web/static"


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.styled: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("href", "src", "action") and value:
                self.addresses.append(value)
            if name == "style" or name.startswith("on"):
                self.styled.append(tag)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RunningService(tmp_path_factory.mktemp("page") / "service") as service:
        service.runtime.gateway.receivers.get()
        yield service.base_url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=need_program("chromium"), args=["--no-sandbox"])
        yield opened
        opened.close()


def page() -> Links:
    links = Links()
    links.feed((STATIC / "index.html").read_text("utf-8"))
    return links


def test_it_has_no_script_no_inline_style_and_no_other_site() -> None:
    found = page()
    assert "script" not in found.tags
    assert found.styled == []
    assert all(each.startswith(("/", "#")) and not each.startswith("//") for each in found.addresses)
    css = (STATIC / "site.css").read_text("utf-8")
    assert "url(" not in css
    assert "@import" not in css


def test_every_link_leads_somewhere(address: str) -> None:
    for link in {each for each in page().addresses if each.startswith("/")}:
        answer = httpx2.get(f"{address}{link}")
        assert answer.status_code == 200 or (link == "/log/checkpoint" and answer.status_code == 503), link


def test_it_links_to_what_is_public() -> None:
    assert {"/_status", "/log/checkpoint", "/log/keys", "/schemas/view.json", "/openapi.json"} <= set(page().addresses)


def test_headings_are_in_order() -> None:
    levels = [int(tag[1]) for tag in page().tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(following <= before + 1 for before, following in itertools.pairwise(levels))


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen_and_breaks_no_policy(width: int, scheme: str, address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    shown = context.new_page()
    told: list[str] = []
    asked: list[str] = []
    shown.on("console", lambda message: told.append(message.text))
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(address)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert [message for message in told if "favicon" not in message and "404" not in message] == []
    assert all(url.startswith(address) for url in asked)
    context.close()
