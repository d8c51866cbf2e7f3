# SPDX-License-Identifier: MIT
"""A site with nothing but our scripts, under a policy as strict as a browser knows, and calls of our modules in a page of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tools.set_up_tests import find_program

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Lend a Chromium."""
    found = find_program("chromium", "chromium-browser", "google-chrome")
    assert found is not None, "Chromium is not there: run make set-up"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(found), args=list(ARGUMENTS))
        yield opened
        opened.close()


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        folder = resources.files("notify_gateway.web").joinpath("static")
        name = self.path.partition("?")[0].removeprefix("/static/")
        content, kind = b"<!doctype html><title>Custody</title><main></main>", "text/html"
        if self.path.startswith("/static/"):
            content, kind = folder.joinpath(*name.split("/")).read_bytes(), "text/javascript"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def scripts_alone() -> Iterator[str]:
    """Serve our scripts; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def call(page: Page, module: str, body: str, **values: Any) -> Any:
    """Return what ``body`` returns, an async function of the module ``m``, all others by name, and ``values``."""
    names = ("card", "encoding", "envelope", "hpke", "keys", "sheet", "words")
    loaded = ", ".join(f"{name}: await import('/static/custody/{name}.js')" for name in names)
    return page.evaluate(f"async (v) => {{ const all = {{{loaded}}}; const m = all.{module}; {body} }}", values)
