# SPDX-License-Identifier: MIT
"""The pages of an inbox, served for tests: an authority in managed custody with its opener, another one, and people in real browsers."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Response, Route, sync_playwright

from notify_gateway import opener
from notify_gateway.app import create_app
from notify_gateway.domain.staff import Role
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.reveal import Vault
from tests.support.messages import Message, a_message
from tests.support.services import eventually, free_port
from tests.support.staff import sign_in_as
from tests.support.templates import Templates
from tests.use_cases.casework import carry
from tests.use_cases.conftest import MIDDLESBROUGH, House, furnished
from tools import set_up_bruno
from tools.set_up_tests import find_program

T = TypeVar("T")
HARTLEPOOL, POSTCODE = "E06000001", "TS24 8AY"
AXE = set_up_bruno.FOLDER / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
RUN = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false, iframes: false})"
OF_WIDTH = [
    "color-contrast",
    "target-size",
    "scrollable-region-focusable",
    "label",
    "link-name",
    "button-name",
    "region",
    "aria-hidden-focus",
]
WIDE, NARROW = 1280, 320
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)


@dataclass
class Site:
    """The running pages of Hartlepool's inbox, whose key the service keeps; Middlesbrough has an inbox, too."""

    house: House
    url: str
    _aside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def aside(self, do: Callable[[], T]) -> T:
        """Do something in another thread: a browser's own has a loop, in which nothing else can wait."""
        return self._aside.submit(do).result(timeout=60)

    def message(self, index: int | None = None) -> Message:
        """Return a good notification for Hartlepool."""
        return for_hartlepool(a_message(index))

    def arrives(self, message: Message | None = None) -> str:
        """Have a notification arrive in the inbox; return its reference."""

        def come() -> str:
            accepted = self.house.accept(message or self.message())
            carry(self.house)
            return accepted.reference

        return self.aside(come)

    def cookie(self, *roles: Role, name: str = "Robin Officer", authority: str = HARTLEPOOL, stepped_up: bool = False) -> str:
        """Sign somebody in; return what their browser holds."""
        return self.aside(lambda: sign_in_as(self.house.gateway, *roles, authority=authority, name=name, stepped_up=stepped_up))

    def client(self, *roles: Role, name: str = "Robin Officer", authority: str = HARTLEPOOL, stepped_up: bool = False) -> httpx2.Client:
        """Return a browser without scripts or eyes, signed in."""
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        cookies = {"staff": self.cookie(*roles, name=name, authority=authority, stepped_up=stepped_up)}
        return httpx2.Client(base_url=self.url, headers=headers, cookies=cookies, timeout=30)


def for_hartlepool(message: Message) -> Message:
    """Send the message to Hartlepool, where its child lives."""
    return message.for_child(postcode=POSTCODE).to_authority(HARTLEPOOL)


@contextmanager
def site(folder: Path, templates: Templates) -> Iterator[Site]:
    """Serve the pages until the block ends."""
    socket = folder / "opener.sock"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NOTIFY_GATEWAY_OPENER_SOCKET", str(socket))
        with contextmanager(furnished)(folder, templates, None) as house:
            gateway = house.gateway
            onboard.register_authority(gateway, gss=HARTLEPOOL, custody="managed", channel="inbox", actor="test")
            onboard.register_key(gateway, key=opener.make_managed_key(folder / "opener", HARTLEPOOL).public(), actor="test")
            onboard.register_authority(gateway, gss=MIDDLESBROUGH, custody="authority-held", channel="inbox", actor="test")
            gateway.receivers.forget()
            vault = Vault(gateway.clock, gateway.engine, gateway.shred_engine, gateway.signing_key.public())
            with _opener(vault, folder / "opener", socket), _server(house) as url:
                yield Site(house, url)


@contextmanager
def _opener(vault: Vault, folder: Path, socket: Path) -> Iterator[None]:
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(opener.serve(vault, folder, socket, stop)), daemon=True)
    thread.start()
    try:
        eventually(socket.exists, within=10, what="the opener's socket")
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextmanager
def _server(house: House) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(house.runtime), port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, within=20, what="the pages served")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Lend a Chromium."""
    found = find_program("chromium", "chromium-browser", "google-chrome")
    assert found is not None, "Chromium is not there: run make set-up"
    assert AXE.exists(), "axe-core is not there: run make set-up"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(found), args=ARGUMENTS)
        yield opened
        opened.close()


@dataclass
class Reader:
    """Somebody at a browser. What the browser says, and whom it asks, is kept, and looked at when they leave."""

    site: Site
    context: BrowserContext
    page: Page
    said: list[str]
    asked: list[str]

    def opens(self, path: str) -> Response:
        """Open an address of the site; return the answer."""
        answer = self.page.goto(f"{self.site.url}{path}")
        assert answer is not None
        return answer

    def follows(self, name: str) -> None:
        """Follow a link by its words."""
        self.page.get_by_role("link", name=name).first.click()

    def presses(self, name: str) -> None:
        """Press a button by its words, or a link that looks like one."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def chooses(self, name: str) -> None:
        """Choose one of several, or tick a box."""
        self.page.get_by_label(name, exact=True).first.check()

    def writes(self, label: str, text: str) -> None:
        """Write into a field."""
        self.page.get_by_label(label, exact=True).first.fill(text)

    def reads(self, *texts: str) -> None:
        """The page says all of it."""
        seen = " ".join(self.page.locator("body").inner_text().split())
        for text in texts:
            assert text in seen, f"{text!r} is not on {self.page.url}:\n{seen[:3000]}"

    def does_not_read(self, *texts: str) -> None:
        """The page, as it came, says none of it."""
        for text in texts:
            assert text not in self.page.content(), f"{text!r} is on {self.page.url}"

    def is_at(self, path: str) -> None:
        """The address is this."""
        assert self.page.url == f"{self.site.url}{path}", self.page.url

    def judges(self, *, whole: bool = False) -> None:
        """Nothing on the page is wrong by axe-core, and nothing sticks out of it, wide and narrow.

        Narrow, by the rules to which a width makes a difference; by all of them where ``whole`` is true.
        """
        self.page.evaluate(_axe())
        for width in (WIDE, NARROW):
            self.page.set_viewport_size({"width": width, "height": 900})
            sticking = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert sticking <= 0, f"{self.page.url} sticks out by {sticking} at {width}"
            faults = self.page.evaluate(RUN, RULES if whole or width == WIDE else {"type": "rule", "values": OF_WIDTH})
            assert told(faults) == [], f"{self.page.url} at {width}"
        self.page.set_viewport_size({"width": WIDE, "height": 900})

    def leaves(self) -> None:
        """Nothing was asked of another site, and the browser complained of nothing."""
        assert [each for each in self.asked if not each.startswith(f"{self.site.url}/")] == []
        assert [each for each in self.said if "status of 4" not in each] == []
        self.context.close()


def _strip(route: Route) -> None:
    if route.request.resource_type == "script":
        route.abort()
    elif route.request.resource_type == "document" and route.request.method == "GET":
        answer = route.fetch()
        route.fulfill(response=answer, body=_SCRIPT.sub("", answer.text()))
    else:
        route.continue_()


@cache
def _axe() -> str:
    return AXE.read_text("utf-8")


def told(faults: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return what axe-core found."""
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in faults["violations"]]


@contextmanager
def reader(
    running: Site,
    browser: Browser,
    *roles: Role,
    name: str = "Robin Officer",
    authority: str = HARTLEPOOL,
    scripts: bool = True,
    stripped: bool = False,
    stepped_up: bool = False,
) -> Iterator[Reader]:
    """Somebody signed in at a browser, with scripts or without; ``leaves`` when the block ends without an error.

    ``stripped``: the pages come without their scripts to a browser that has them, for axe-core itself is one.
    """
    context = browser.new_context(viewport={"width": WIDE, "height": 900}, java_script_enabled=scripts)
    if stripped:
        context.route("**/*", _strip)
    if roles:
        value = running.cookie(*roles, name=name, authority=authority, stepped_up=stepped_up)
        context.add_cookies([{"name": "staff", "value": value, "url": running.url}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    made = Reader(running, context, page, said, asked)
    yield made
    made.leaves()
