# SPDX-License-Identifier: MIT
"""The entrance in a real Chromium: in by the practice provider, out again, what was typed kept; and what another site cannot do."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from fastapi import APIRouter, Request, Response
from playwright.sync_api import Browser, BrowserContext

from notify_gateway.app import create_app
from notify_gateway.domain.policy import Act
from notify_gateway.domain.staff import Role
from notify_gateway.use_cases.staff_sessions import IDLE
from notify_gateway.web.entrance.door import require_step_up, visitor, visitor_with_form
from tests.support.pages import Reader, Site, chromium, reader
from tests.support.services import eventually, free_port
from tests.support.staff import STOCKTON, practice
from tests.support.templates import Templates
from tests.use_cases.conftest import furnished

WORDS = "The grandmother answers in the evening"
PAGE = '<!doctype html><html lang="en"><title>Tried</title><form method="post"><input type="hidden" name="form_token" value="{token}">'
DANGEROUS = "What cannot be undone"
FIELD = '<label>Note <textarea name="note"></textarea></label><button>Save</button></form>'


@dataclass
class Entered(Site):
    """The running pages, with one that takes a form to try the door with, and what it took."""

    taken: list[str] | None = None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Entered]:
    folder, port, router, taken = tmp_path_factory.mktemp("entrance"), free_port(), APIRouter(), list[str]()
    url = f"http://127.0.0.1:{port}"

    @router.get("/tried", response_class=Response)
    async def _show(request: Request) -> Response:
        visit = await visitor(request, Act.WORK_CASE)
        return Response(PAGE.format(token=visit.form_token) + FIELD, media_type="text/html")

    @router.post("/tried", response_class=Response)
    async def _take(request: Request) -> Response:
        visit, fields = await visitor_with_form(request, Act.WORK_CASE)
        if fields["note"] == DANGEROUS:
            require_step_up(visit)
        taken.append(fields["note"])
        return Response(status_code=303, headers={"Location": "/account"})

    with (
        contextmanager(furnished)(folder, templates, None) as house,
        practice(folder, url, now=lambda: house.clock.now().timestamp()) as running,
    ):
        settings = house.gateway.settings.model_copy(update={"staff_providers": running.file, "base_url": url})
        runtime = replace(house.runtime, gateway=replace(house.gateway, settings=settings))
        app = create_app(runtime)
        app.include_router(router)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        eventually(lambda: server.started, within=20, what="the pages served")
        yield Entered(replace(house, runtime=runtime), url, taken=taken)
        server.should_exit = True
        thread.join()


def comes_in(somebody: Reader, name: str) -> None:
    somebody.presses("Sign in with the practice provider")
    somebody.follows(name)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_somebody_comes_in_loses_nothing_that_they_typed_and_goes_out(site: Entered, browser: Browser, scripts: bool) -> None:
    assert site.taken is not None
    site.taken.clear()
    with reader(site, browser, scripts=scripts) as robin:
        robin.opens("/tried")
        robin.is_at("/sign-in?next=%2Ftried")
        comes_in(robin, "Robin Officer")
        robin.is_at("/tried")
        robin.page.get_by_label("Note").fill(WORDS)
        site.house.clock.move(IDLE + timedelta(seconds=1))
        robin.presses("Save")
        robin.is_at("/sign-in?kept=1")
        robin.reads("What you typed is kept for 30 minutes")
        comes_in(robin, "Robin Officer")
        robin.is_at("/sign-in/continue")
        robin.reads("has not been sent", WORDS)
        assert site.taken == []
        robin.presses("Send it now")
        robin.is_at("/account")
        assert site.taken == [WORDS]
        robin.presses("Sign out everywhere")
        robin.reads("You have signed out")
        robin.opens("/account")
        robin.is_at("/sign-in?next=%2Faccount")
        robin.asked[:] = [each for each in robin.asked if "/authorize?" not in each]


def test_a_dangerous_act_leads_by_the_provider_to_what_was_typed(site: Entered, browser: Browser) -> None:
    assert site.taken is not None
    site.taken.clear()
    with reader(site, browser, scripts=True) as robin:
        robin.opens("/tried")
        comes_in(robin, "Robin Officer")
        robin.page.get_by_label("Note").fill(DANGEROUS)
        robin.presses("Save")
        robin.reads("Prove once more that it is you")
        robin.presses("Sign in once more")
        robin.follows("Robin Officer")
        robin.is_at("/sign-in/continue")
        robin.presses("Send it now")
        robin.is_at("/account")
        assert site.taken == [DANGEROUS]
        robin.asked[:] = [each for each in robin.asked if "/authorize?" not in each]


def test_every_page_of_the_entrance_can_be_used_by_everybody(site: Entered, browser: Browser) -> None:
    with reader(site, browser, Role.IG_OFFICER, name="Alex Governance", authority=STOCKTON) as alex:
        for path in ("/sign-in?done=signed-out", "/account", "/tried", "/sign-in/callback/practice?state=x"):
            alex.opens(path)
            alex.judges()
        alex.reads("This sign-in is not under way", "Go to the sign-in page")
        alex.opens("/tried")
        alex.reads("You may not do this", "Officer or Manager")
    with reader(site, browser, Role.OFFICER, authority=STOCKTON) as robin:
        robin.opens("/tried")
        site.house.clock.move(IDLE + timedelta(seconds=1))
        robin.page.get_by_label("Note").fill(WORDS)
        robin.presses("Save")
        robin.judges()


@contextmanager
def another_site(folder: Path, content: str) -> Iterator[str]:
    """Serve a page from another site: the same machine, by another name."""
    (folder / "index.html").write_text(content, "utf-8")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://localhost:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()


def signed_in(site: Entered, browser: Browser) -> BrowserContext:
    context = browser.new_context()
    value = site.cookie(Role.OFFICER, authority=STOCKTON)
    context.add_cookies([{"name": "staff", "value": value, "url": site.url, "sameSite": "Lax"}])
    return context


def test_another_site_can_neither_frame_a_page_nor_send_a_form_for_somebody(site: Entered, browser: Browser, tmp_path: Path) -> None:
    assert site.taken is not None
    site.taken.clear()
    context = signed_in(site, browser)
    page = context.new_page()
    token = page.goto(f"{site.url}/tried").text().partition('value="')[2].partition('"')[0]  # type: ignore[union-attr]
    hidden = f'<input name="form_token" value="{token}"><input name="note" value="forged">'
    form = f'<form method="post" action="{site.url}/tried">{hidden}<button>Win</button></form>'
    with another_site(tmp_path, f'<iframe src="{site.url}/account"></iframe>{form}') as evil:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(evil)
        eventually(lambda: page.evaluate("1") and complaints, within=10, what="the browser's complaint")
        assert any("frame-ancestors" in each for each in complaints), complaints
        assert "Your account" not in (page.frames[1].content() if len(page.frames) > 1 else "")
        page.get_by_role("button", name="Win").click()
        page.wait_for_url(f"{site.url}/**")
    assert site.taken == [], "the browser sends no cookie with a form of another site, and the token alone is worth nothing"
    context.close()
