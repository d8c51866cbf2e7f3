# SPDX-License-Identifier: MIT
"""An authority's own keys in a real Chromium: devices come and go, cards open in the page, and the service sees neither child nor key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from notify_gateway.domain.staff import Role
from notify_gateway.privacy.drills import open_drill
from notify_gateway.privacy.opening import open_delivery
from tests.leaks import evidence
from tests.leaks.canaries import Evidence, a_canary, search
from tests.support.custody import chromium
from tests.support.messages import a_message
from tests.support.templates import Templates
from tests.web.custodians import Council, a_browser, asks, council, enrols, spellings
from tools import set_up_bruno

AXE = set_up_bruno.FOLDER / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Council]:
    with council(tmp_path_factory.mktemp("custody"), templates) as served:
        yield served


@pytest.fixture(scope="module")
def browser(running: Council) -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def judge(page: Page) -> None:
    """Nothing is wrong by axe-core, and nothing is wider than the window."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == [], page.url
    width = page.viewport_size
    assert width is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= width["width"], page.url


def fault(page: Page) -> str:
    """Return what the page says went wrong, once it says so."""
    place = page.locator("[data-fault]")
    expect(place).to_be_visible()
    return place.inner_text()


def notes(page: Page, url: str, reference: str, text: str) -> None:
    """Take the notification on and record a contact with a note."""
    page.goto(f"{url}/notifications/{reference}/acknowledge")
    page.get_by_role("button", name="Acknowledge").click()
    page.goto(f"{url}/notifications/{reference}/contacts/new")
    page.get_by_label("Phone").check()
    page.get_by_label("Parent", exact=True).check()
    for part, value in (("Day", "20"), ("Month", "11"), ("Year", "2026")):
        page.get_by_role("group", name="When?").get_by_label(part).fill(value)
    page.get_by_label("Spoke").check()
    page.get_by_label("Note").fill(text)
    page.get_by_role("button", name="Record contact").click()
    page.wait_for_url("**/notifications/*?done=contact*")


def test_a_device_made_in_the_browser_is_approved_by_another_manager_and_opens_what_comes(running: Council, browser: Browser) -> None:
    context, page, _ = a_browser(browser)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    running.signs_in(context, "Ada Manager", Role.MANAGER)
    shown = enrols(page, running.url, "Office laptop 3")
    judge(page)
    assert "Waits for a second person" in page.inner_text("main")
    before = running.offered(a_message())
    running.signs_in(context, "Olu Officer", Role.OFFICER)
    asks(page, running.url, before)
    assert "may not open anything" in fault(page)
    other, second, _ = a_browser(browser)
    running.signs_in(other, "Bea Manager", Role.MANAGER)
    second.goto(f"{running.url}/devices")
    assert shown not in second.content(), "the fingerprint comes from the device"
    second.get_by_label("Fingerprint that the device shows").fill("0000 1111")
    second.get_by_role("button", name="Approve this device").click()
    assert "fingerprint" in second.locator(".govuk-error-summary").inner_text()
    second.get_by_label("Fingerprint that the device shows").fill(shown)
    second.get_by_role("button", name="Approve this device").click()
    second.wait_for_url("**/devices?done=approved")
    asks(page, running.url, before)
    assert "sealed before the device was enrolled" in fault(page)
    reference = running.offered(a_message().for_child(family="Quillfeather"))
    asks(page, running.url, reference)
    sheet = page.locator("[data-sheet]")
    expect(sheet).to_be_visible()
    assert "Quillfeather" in sheet.inner_text()
    assert "This has been recorded." in page.get_by_role("status").inner_text()
    judge(page)
    page.set_viewport_size({"width": 320, "height": 900})
    judge(page)
    # It opens again by itself while the time runs, and not after.
    page.reload()
    expect(sheet).to_be_visible()
    page.get_by_role("button", name="Hide it now").click()
    assert sheet.inner_text() == ""
    assert [text for text in said if not text.startswith("Failed to load resource: the server responded with a status of 409")] == []
    context.close()
    other.close()


def test_neither_child_nor_note_nor_key_ever_comes_to_the_service(
    running: Council, browser: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    context, page, asked = a_browser(browser)
    file, key = running.key_file()
    running.signs_in(context, "Cleo Manager", Role.MANAGER)
    enrols(page, running.url, "From a file", file)
    reference = running.offered(a_canary())
    running.signs_in(context, "Olu Officer", Role.OFFICER)
    asks(page, running.url, reference)
    expect(page.locator("[data-sheet]")).to_contain_text("Vorpalstone")
    assert "Vorpalstone" not in page.title()
    notes(page, running.url, reference, "Jubjubina says that Zyxandra burbles when startled.\nOutgrabe soon please!")
    page.goto(f"{running.url}/notifications/{reference}/card")
    expect(page.locator("[data-opened]")).to_contain_text("Jubjubina says that Zyxandra burbles when startled.")
    running.signs_in(context, "Cleo Manager", Role.MANAGER)
    asks(page, running.url, reference, "Open the original", "card/original")
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save the original message").click()
    saved = Path(saving.value.path()).read_bytes()
    assert b"whiffling through the tulgey copse" in saved
    output = "".join(capfd.readouterr())
    found = [Evidence(place, content) for place, content in asked.sent()]
    engines = (running.house.gateway.engine, running.house.gateway.shred_engine)
    data_dir = running.house.gateway.settings.data_dir
    found += [*evidence.of_databases(*engines), *evidence.of_folder(data_dir), Evidence("output", output.encode())]
    assert len([each for each in found if each.place == "body of a request" and each.content]) >= 3
    assert search(found) == []
    secret = spellings(key.x25519.reveal())
    assert [(each.place, how) for each in found for how, written in secret.items() if written in each.content] == []
    assert [hit.place for hit in search([Evidence("the page", saved)])], "what is sought would be found"
    context.close()


def test_what_was_changed_on_its_way_is_not_shown_and_the_page_says_why(running: Council, browser: Browser) -> None:
    context, page, _ = a_browser(browser)
    file, _ = running.key_file()
    running.signs_in(context, "Gus Manager", Role.MANAGER)
    enrols(page, running.url, "Between", file)
    reference = running.offered(a_message())

    def change(route: Route) -> None:
        answer = route.fetch()
        document = answer.json()
        card = document["envelopes"]["card"]
        card["signature"] = card["signature"][:-4] + ("AA==" if card["signature"][-4:] != "AA==" else "AQ==")
        route.fulfill(response=answer, json=document)

    page.route("**/card/sealed", change)
    asks(page, running.url, reference)
    assert "The signature is not the service’s" in fault(page)
    assert page.locator("[data-sheet]").inner_text() == ""
    context.close()


def test_a_lost_device_opens_nothing_more_and_the_page_says_what_its_key_fits(running: Council, browser: Browser) -> None:
    context, page, _ = a_browser(browser)
    file, key = running.key_file()
    running.signs_in(context, "Dan Manager", Role.MANAGER)
    enrols(page, running.url, "Lost tablet", file)
    reference = running.offered(a_message())
    page.clock.install()
    asks(page, running.url, reference)
    expect(page.locator("[data-sheet]")).to_be_visible()
    page.clock.fast_forward("29:00")
    expect(page.locator("[data-sheet]")).to_be_visible()
    page.clock.fast_forward("01:30")
    expect(page.get_by_role("status")).to_contain_text("The time is over, and the details are hidden.")
    assert page.locator("[data-sheet]").inner_text() == ""
    page.goto(f"{running.url}/devices")
    lost = page.locator(".app-device", has_text=key.kid)
    lost.get_by_text("End this device").click()
    lost.get_by_role("button", name="It was lost or stolen").click()
    page.wait_for_url("**/devices?done=ended")
    assert "Its key still fits 1 notification that came while it was in use, and none that came later" in lost.inner_text()
    page.goto(f"{running.url}/notifications/{reference}/card")
    assert "may not open anything" in fault(page)
    # The browser is told to forget, and then holds nothing.
    page.goto(f"{running.url}/devices")
    page.get_by_role("button", name="Forget the key of this browser").click()
    expect(page.get_by_text("This browser holds no key of your council.")).to_be_visible()
    asks(page, running.url, reference)
    assert "holds no key of your council" in fault(page)
    context.close()


def test_the_recovery_key_is_drilled_on_the_page(running: Council, browser: Browser) -> None:
    context, page, _ = a_browser(browser)
    running.signs_in(context, "Eve Manager", Role.MANAGER)
    page.goto(f"{running.url}/devices")
    assert "Nobody has ever proved that the recovery key works" in page.inner_text("main")
    page.get_by_role("button", name="Begin a drill").click()
    page.set_viewport_size({"width": 320, "height": 900})
    judge(page)
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save the drill’s file").click()
    document = json.loads(Path(saving.value.path()).read_bytes())
    page.get_by_label("Words of the drill").fill("wrong words")
    page.get_by_role("button", name="The recovery key works").click()
    assert "not the answer of this drill" in page.locator(".govuk-error-summary").inner_text()
    words = open_drill(document, running.recovery, running.house.gateway.signing_key.public())
    page.get_by_label("Words of the drill").fill(words)
    page.get_by_role("button", name="The recovery key works").click()
    page.wait_for_url("**/devices?done=passed")
    assert "Nobody has ever proved" not in page.inner_text("main")
    judge(page)
    context.close()


def test_without_scripts_the_pages_say_what_to_do_instead(running: Council, browser: Browser) -> None:
    context, page, _ = a_browser(browser, java_script_enabled=False)
    running.signs_in(context, "Fay Manager", Role.MANAGER)
    reference = running.offered(a_message().for_child(family="Quillfeather"))
    for path in ("/devices", f"/notifications/{reference}/card", f"/notifications/{reference}/card/original"):
        answer = page.goto(f"{running.url}{path}")
        assert answer is not None
        assert answer.status == 200
        assert "notify-gateway authority open" in page.inner_text("main")
        assert page.get_by_role("button", name="Show child’s details").count() == 0
    # What the command needs is saved sealed, by a plain form, and the recovery key opens it.
    page.goto(f"{running.url}/notifications/{reference}/card")
    page.get_by_text("Save it sealed instead, for the command").click()
    page.get_by_role("button", name="Save it sealed").click()
    assert page.title().startswith("Error: ")
    assert "Select why you need to see who this child is" in page.locator(".govuk-error-summary").inner_text()
    page.locator("#file_reason").check()
    page.locator("#file_case_reference").fill("EY-2026-0412")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save it sealed").click()
    document = json.loads(Path(saving.value.path()).read_bytes())
    found = open_delivery(document, running.recovery, running.house.gateway.signing_key.public())
    assert (found.reference, found.original) == (reference, None)
    assert "Quillfeather" in json.dumps(found.card.reveal())
    context.close()
