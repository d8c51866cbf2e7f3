# SPDX-License-Identifier: MIT
"""A gateway with an authority that holds its own keys and works in the inbox, and its people's browsers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, BrowserContext, Page, Request
from sqlalchemy import select

from notify_gateway.app import create_app
from notify_gateway.domain.staff import Role
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, save
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import deliver, onboard
from tests.support.messages import Message
from tests.support.services import eventually, free_port
from tests.support.staff import sign_in_as
from tests.support.templates import Templates
from tests.use_cases.conftest import STOCKTON, House, furnished
from workers.channels.signature import RequestSigner
from workers.run import WorkerValues, make_channels

WIDE = {"width": 1280, "height": 1000}


@dataclass
class Asked:
    """All that a browser sent, headers and bodies too."""

    requests: list[Request] = field(default_factory=list)

    def sent(self) -> Iterator[tuple[str, bytes]]:
        for each in self.requests:
            yield "address of a request", each.url.encode()
            yield "headers of a request", json.dumps(each.all_headers()).encode()
            yield "body of a request", each.post_data_buffer or b""


@dataclass
class Council:
    """The running gateway, and what its people need to come in."""

    house: House
    url: str
    folder: Path

    def signs_in(self, context: BrowserContext, name: str, *roles: Role, fresh: bool = True) -> None:
        """Have the browser be this person's; ``fresh``: they have just proved who they are."""
        cookie = sign_in_as(self.house.gateway, *roles, name=name, stepped_up=fresh)
        context.clear_cookies()
        context.add_cookies([{"name": "staff", "value": cookie, "url": self.url}])

    def offered(self, message: Message) -> str:
        """Have a message accepted and arrive in the inbox; return its reference."""
        with ThreadPoolExecutor(1) as aside:  # the browser's thread has a loop of its own
            return aside.submit(self._offered, message).result()

    def _offered(self, message: Message) -> str:
        gateway = self.house.gateway
        self.house.clock.move(timedelta(seconds=1))
        accepted = self.house.accept(message)
        self.house.clock.move(timedelta(seconds=1))
        with gateway.engine.begin() as connection:
            wanted = connection.scalars(select(deliveries.c.id).where(deliveries.c.notification_id == accepted.notification_id)).one()
        outgoing = deliver.begin_attempts(gateway, [wanted], owner="worker")
        channels = make_channels(WorkerValues(broker_url="memory://", signer=RequestSigner("k", Ed25519PrivateKey.generate())))
        deliver.finish_attempts(gateway, asyncio.run(channels["inbox"].send(outgoing)), owner="worker")
        return accepted.reference

    def key_file(self) -> tuple[Path, RecipientPrivateKey]:
        """Have the command's working key registered by two people; return its file, outside what the service keeps, and the key."""
        key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)
        path = self.folder / f"{key.kid}.json"
        save(path, key)
        onboard.register_key(self.house.gateway, key=key.public(), actor="test")
        return path, key

    @property
    def recovery(self) -> RecipientPrivateKey:
        return next(key for key in self.house.keys[STOCKTON] if key.purpose is RecipientPurpose.RECOVERY)


@contextmanager
def council(folder: Path, templates: Templates) -> Iterator[Council]:
    """Serve the pages until the block ends."""
    data = folder / "data"
    data.mkdir()
    with contextmanager(furnished)(data, templates, None) as house:
        onboard.register_authority(house.gateway, gss=STOCKTON, custody="authority-held", channel="inbox", actor="test")
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(create_app(house.runtime), port=port, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        eventually(lambda: server.started, within=20)
        yield Council(house, f"http://127.0.0.1:{port}", folder)
        server.should_exit = True
        thread.join()


def a_browser(browser: Browser, **more: Any) -> tuple[BrowserContext, Page, Asked]:
    """Return a fresh browser profile with a page in it; all that it sends is recorded, and no policy may be broken in it."""
    context = browser.new_context(viewport=WIDE, **more)  # type: ignore[arg-type]
    asked = Asked()
    context.on("request", lambda request: asked.requests.append(request))
    return context, context.new_page(), asked


def enrols(page: Page, url: str, label: str, file: Path | None = None) -> str:
    """Enrol the browser's device; return the fingerprint that it shows then."""
    page.goto(f"{url}/devices")
    page.get_by_label("What you call this device").fill(label)
    if file is not None:
        page.get_by_text("Take over a key that the command has made").click()
        page.get_by_label("Private key file").set_input_files(file)
    page.get_by_role("button", name="Enrol this device").click()
    page.wait_for_url("**/devices?done=*")
    shown = page.locator("[data-fingerprint]")
    shown.wait_for()
    return shown.inner_text()


def asks(page: Page, url: str, reference: str, button: str = "Show child’s details", where: str = "card") -> None:
    """Say why on the page of the card."""
    page.goto(f"{url}/notifications/{reference}/{where}")
    form = page.locator("[data-form]")
    form.get_by_label("To contact the family").check()
    form.get_by_label("Your case reference").fill("EY-2026-0412")
    page.get_by_role("button", name=button).click()


def spellings(secret: bytes) -> Mapping[str, bytes]:
    """Return a key in the ways in which it could be written."""
    from base64 import b64encode, urlsafe_b64encode

    return {
        "raw": secret,
        "hex": secret.hex().encode(),
        "HEX": secret.hex().upper().encode(),
        "base64": b64encode(secret)[:-2],
        "base64url": urlsafe_b64encode(secret)[:-2],
    }
