# SPDX-License-Identifier: MIT
"""Alerts as the scheduler sends them, over real SMTP and HTTP, of a canary: neither envelope nor header nor body holds anything of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from structlog.testing import capture_logs

from notify_gateway.cli.alerting import ENDS_WITHIN, alerting
from notify_gateway.domain.alerts import AlertKind
from notify_gateway.use_cases import alert
from tests.leaks.canaries import Evidence, a_canary, search
from tests.support.mail_server import MailServer
from tests.support.templates import Templates
from tests.support.waiting import eventually
from tests.use_cases.conftest import STOCKTON, House, furnished
from tests.use_cases.test_feedback import deliver_all
from tests.workers.receiver import Receiver
from tests.workers.test_webhook import certificate_for

MAILBOX = "send-inbox@stockton.example"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    serving, _ = certificate_for("localhost", tmp_path)
    running = MailServer(trust=serving)
    yield running
    running.close()


@pytest.fixture
def house(tmp_path: Path, templates: Templates, mail: MailServer) -> Iterator[House]:
    """A house that is set to use the mail server."""
    for made in furnished(tmp_path, templates, None):
        chosen = {"smtp_host": "localhost", "smtp_port": mail.port, "smtp_from": "alerts@gateway.example"}
        settings = made.gateway.settings.model_copy(update={**chosen, "smtp_ca_file": tmp_path / "chain.pem"})
        object.__setattr__(made.gateway, "settings", settings)
        yield made


def add(house: House, kind: AlertKind, address: str) -> None:
    alert.add_address(house.gateway, authority=STOCKTON, kind=kind, address=address, actor="test")


def test_alerts_hold_reference_and_link_and_nothing_of_a_child(
    house: House, mail: MailServer, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    add(house, AlertKind.EMAIL, MAILBOX)
    add(house, AlertKind.WEBHOOK, receiver.url())
    add(house, AlertKind.WEBHOOK, receiver.url("error"))
    reference = house.accept(a_canary(STOCKTON)).reference
    deliver_all(house)
    with capture_logs() as told, caplog.at_level(logging.DEBUG), alerting(house.gateway, every=0.05):
        eventually(lambda: mail.mails and len(receiver.requests) == 2)
    [letter] = mail.mails
    said = {
        "envelope": repr((letter.sender, letter.recipients)).encode(),
        "letter": letter.content,
        "text": letter.message.get_content().encode(),
        "requests": repr(receiver.requests).encode(),
        "bodies": b"".join(body for *_, body in receiver.requests),
        "logs": repr([told, [record.getMessage() for record in caplog.records]]).encode(),
    }
    assert search(Evidence(place, content) for place, content in said.items()) == []
    assert re.findall(r"SEN-\S+", letter.message.get_content()) == [reference]
    assert MAILBOX.encode() not in said["logs"]
    assert reference.encode() not in said["requests"]
    assert [each["event"] for each in told if each["log_level"] in ("warning", "error")] == ["alert-failed"]


def test_a_mail_server_that_hangs_holds_up_neither_webhooks_nor_the_end(house: House, mail: MailServer, receiver: Receiver) -> None:
    mail.how = "hang"
    add(house, AlertKind.EMAIL, MAILBOX)
    house.accept(a_canary(STOCKTON))
    deliver_all(house)
    with alerting(house.gateway, every=0.05):
        eventually(lambda: mail.under_way)
        add(house, AlertKind.WEBHOOK, receiver.url())
        eventually(lambda: any(each.address.sent_at for each in alert.list_addresses(house.gateway)))
        started = monotonic()
    assert monotonic() - started < 2 * ENDS_WITHIN, "the mail server would hang for longer"
    house.clock.move(timedelta(minutes=5))
    failed = {each.address.kind: each.address.last_code for each in alert.list_addresses(house.gateway)}
    assert failed == {AlertKind.EMAIL: "stopping", AlertKind.WEBHOOK: None}
