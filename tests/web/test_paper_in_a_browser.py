# SPDX-License-Identifier: MIT
"""Paper in a real Chromium, of an authority that holds its key: who the child is is filled in on the officer's device and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from notify_gateway.domain.staff import Role
from tests.leaks import evidence
from tests.leaks.canaries import Evidence, a_canary, search
from tests.support.custody import chromium
from tests.support.messages import a_message
from tests.support.pages import AXE, NARROW, RULES, WIDE, told
from tests.support.templates import Templates
from tests.web.custodians import Council, a_browser, asks, council, enrols


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Council]:
    with council(tmp_path_factory.mktemp("paper"), templates) as served:
        yield served


@pytest.fixture(scope="module")
def browser(running: Council) -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def judge(page: Page) -> None:
    """Nothing is wrong by axe-core, and nothing sticks out, wide and narrow."""
    page.evaluate(AXE.read_text("utf-8"))
    for width in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, f"{page.url} at {width}"
        faults = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        assert told(faults) == [], f"{page.url} at {width}"


def test_who_the_child_is_is_filled_in_on_the_device_alone_and_comes_off_again(running: Council, browser: Browser) -> None:
    context, page, asked = a_browser(browser)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    file, _ = running.key_file()
    running.signs_in(context, "Cleo Manager", Role.MANAGER)
    enrols(page, running.url, "Panel laptop", file)
    opened, closed = running.offered(a_canary()), running.offered(a_message())
    running.signs_in(context, "Olu Officer", Role.OFFICER)

    page.goto(f"{running.url}/notifications/{opened}/print")
    judge(page)
    assert "open the card, say why, and come back" in page.inner_text(".paper-tools")
    assert not page.get_by_role("button", name="Fill in who the child is").is_visible()

    asks(page, running.url, opened)
    expect(page.locator("[data-sheet]")).to_contain_text("Vorpalstone")
    page.goto(f"{running.url}/inbox")
    for reference in (opened, closed):
        page.get_by_label(f"Select {reference}").check()
    page.get_by_role("button", name="Make a pack for a panel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 notifications for the panel")
    assert "Vorpalstone" not in page.content()
    page.get_by_role("button", name="Fill in who the child is").click()
    sheet = page.locator("article", has_text="Who the child is").filter(has_text=opened)
    expect(sheet).to_contain_text("Zyxandra Vorpalstone")
    for text in (
        "17 March 2022",
        "77 Bandersnatch Terrace",
        "Jubjubina",
        "07700900461",
        "The child’s details were filled in on this device.",
    ):
        assert text in sheet.inner_text(), text
    other = page.locator("article", has_text="Who the child is").filter(has_text=closed)
    assert "The child’s name is not on it." in other.inner_text()
    assert [text for text in other.locator("[data-fill]").all_inner_texts() if text] == []
    assert "Filled in on 1 of 2" in page.get_by_role("status").inner_text()
    assert "Vorpalstone" not in page.title() + page.url
    judge(page)
    page.get_by_role("button", name="Take it off again").click()
    assert "Vorpalstone" not in page.content()

    page.goto(f"{running.url}/notifications/{opened}/parent-copy")
    judge(page)
    page.get_by_role("button", name="Fill in who the child is").click()
    expect(page.locator("article")).to_contain_text("Zyxandra Vorpalstone")
    found = [Evidence(place, content) for place, content in asked.sent()]
    found += evidence.of_databases(running.house.gateway.engine, running.house.gateway.shred_engine)
    found += [Evidence("the PDF", context.request.get(f"{running.url}/notifications/{opened}/print").body())]
    assert search(found) == []
    assert said == []
    context.close()


def test_without_scripts_there_is_paper_with_lines_to_write_on(running: Council, browser: Browser) -> None:
    context, page, _ = a_browser(browser, java_script_enabled=False)
    reference = running.offered(a_message())
    running.signs_in(context, "Olu Officer", Role.OFFICER)
    page.goto(f"{running.url}/notifications/{reference}/print")
    shown = page.inner_text("main")
    assert "Download as PDF" in shown
    assert "Fill in who the child is" not in shown
    assert page.locator(".paper-blank__line").first.is_visible()
    context.close()
