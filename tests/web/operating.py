# SPDX-License-Identifier: MIT
"""A gateway that serves the operations pages, with work that waits, fails and lies; its clock is turned by hand."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
import uvicorn
from sqlalchemy import select

from notify_gateway.app import create_app
from notify_gateway.cli.doctor import examiner
from notify_gateway.cli.reaching import reacher_of
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import deliver, operators
from notify_gateway.use_cases.invariants.runs import run
from tests.support.messages import a_message
from tests.support.services import eventually, free_port
from tests.support.templates import Templates
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House, furnished

FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
PAGES = ("", "/queues", "/failed", "/failed/retry", "/deliveries", "/deliveries/downtime", "/keys", "/checks")


@dataclass
class Operations:
    """The running gateway, and what an operator needs to come in."""

    house: House
    url: str
    failed: UUID | None = None

    def token(self, name: str = "alex", *, may_act: bool = True, hours: int = 100) -> str:
        lasts = timedelta(hours=hours)
        return operators.issue_token(self.house.gateway, name=name, lasts=lasts, may_act=may_act, actor="test").text

    def visitor(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}, timeout=30)

    @contextmanager
    def signed_in(self, name: str = "alex", *, may_act: bool = True) -> Iterator[httpx2.Client]:
        with self.visitor() as client:
            answer = client.post("/ops/sign-in", data={"token": self.token(name, may_act=may_act)})
            assert (answer.status_code, answer.headers["location"]) == (303, "/ops")
            yield client

    def sequenced(self) -> None:
        """Have all that was recorded in the signed log."""
        sequencer = open_sequencer(self.house.gateway.settings, self.house.clock)
        while sequencer.run_once():
            pass
        sequencer.close()

    def fails(self, code: str = "http-422") -> UUID:
        """Have a delivery to Middlesbrough fail with the code; return it."""
        accepted = self.house.accept(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
        return self._ends(accepted.notification_id, AttemptOutcome.RETRY, code)

    def lies(self) -> UUID:
        """Have a delivery offered to Stockton; return it."""
        return self._ends(self.house.accept(a_message()).notification_id, AttemptOutcome.OFFERED, "ok")

    def _ends(self, notification: UUID, outcome: AttemptOutcome, code: str) -> UUID:
        gateway, d = self.house.gateway, deliveries.c
        with gateway.engine.begin() as connection:
            wanted = connection.scalars(select(d.id).where(d.notification_id == notification)).one()
        (item,) = deliver.begin_attempts(gateway, [wanted], owner="worker-1")
        deliver.finish_attempts(gateway, [AttemptResult(wanted, item.attempt, outcome, code)], owner="worker-1")
        return wanted


def form_token(page: httpx2.Response) -> str:
    """Return the token that the page's forms bear."""
    found = FORM_TOKEN.search(page.text)
    assert found is not None, page.text[:2000]
    return found[1]


@contextmanager
def operations(folder: Path, templates: Templates, where: str = "loopback") -> Iterator[Operations]:
    """Serve the pages until the block ends; something waits, something failed, something lies with an authority."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NOTIFY_GATEWAY_OPERATIONS_PAGES", where)
        with contextmanager(furnished)(folder, templates, None) as house:
            port = free_port()
            examine, reach = examiner(house.gateway.settings, house.clock), reacher_of(house.gateway)
            app = create_app(house.runtime, examine=examine, reach=reach)
            server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            eventually(lambda: server.started, within=20)
            yield Operations(house, f"http://127.0.0.1:{port}")
            server.should_exit = True
            thread.join()


def fill(running: Operations) -> None:
    """Have two deliveries fail for two causes and one lie with its authority, and look at the invariants."""
    running.lies()
    running.fails("timeout")
    running.failed = running.fails("http-503")
    running.house.clock.move(timedelta(minutes=20))
    running.house.accept(a_message())
    running.sequenced()
    run(running.house.gateway)


__all__ = ["MIDDLESBROUGH", "PAGES", "STOCKTON", "Operations", "fill", "form_token", "operations"]
