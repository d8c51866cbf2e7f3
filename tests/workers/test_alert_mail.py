# SPDX-License-Identifier: MIT
"""Alerts by e-mail against a real mail server that fails in every way: what is taken counts, and nothing hangs."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from notify_gateway.alert_settings import MailSecurity
from notify_gateway.domain.alerts import Alert, AlertKind, AlertResult, Untold
from notify_gateway.domain.refs import new_reference
from tests.support.mail_server import LOGIN, MailServer
from tests.support.waiting import ROOT, eventually, free_port
from tests.workers.conftest import FixedClock
from tests.workers.test_webhook import certificate_for
from workers.alerting.mail import MailSender
from workers.alerting.mail import MailServer as Where
from workers.alerting.words import email

SENDER, MAILBOX = "send-alerts@gateway.example", "send-inbox@stockton.example"


def an_alert(count: int = 1, *, waiting: int | None = None, channel: str = "inbox", kind: AlertKind = AlertKind.EMAIL) -> Alert:
    untold = tuple(Untold(uuid4(), new_reference()) for _ in range(count))
    return Alert(uuid4(), uuid4(), kind, MAILBOX, "E06000004", "Stockton-on-Tees", channel, 1, waiting or count, untold)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """What a mail server called localhost shows, and the file that it is verified by."""
    folder = tmp_path_factory.mktemp("mail")
    serving, _ = certificate_for("localhost", folder)
    return serving, folder / "chain.pem"


@pytest.fixture
def server(trust: tuple[ssl.SSLContext, Path]) -> Iterator[MailServer]:
    running = MailServer(trust=trust[0])
    yield running
    running.close()


@pytest.fixture
def where(server: MailServer, trust: tuple[ssl.SSLContext, Path]) -> Where:
    return Where(
        host="localhost",
        port=server.port,
        security=MailSecurity.STARTTLS,
        sender=SENDER,
        timeout=timedelta(seconds=5),
        ca_file=trust[1],
    )


def send(where: Where, alert: Alert) -> AlertResult:
    sender = MailSender(where, base_url="https://gateway.example", clock=FixedClock())
    [result] = sender.send([alert])
    sender.close()
    return result


def test_an_e_mail_says_what_waits_and_where_and_no_more(server: MailServer, where: Where) -> None:
    alert = an_alert(2, waiting=5)
    assert send(where, alert) == AlertResult(tuple(each.delivery_id for each in alert.untold))
    [mail] = server.mails
    assert (mail.sender, mail.recipients, mail.over_tls, mail.signed_in) == (SENDER, (MAILBOX,), True, False)
    assert set(server.greetings) == {"gateway.example"}
    message = mail.message
    assert dict(message.items()) == {
        "From": SENDER,
        "To": MAILBOX,
        "Subject": "SEND notifications: 5 deliveries wait",
        "Date": "Wed, 01 Jan 2025 12:00:00 +0000",
        "Message-ID": f"<{alert.id}@gateway.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert message.get_content().replace("\r\n", "\n") == (
        "5 deliveries wait (section 23 notifications) for\nStockton-on-Tees (E06000004).\n\n"
        "New since the last message:\n"
        f"  {alert.untold[0].reference}\n  {alert.untold[1].reference}\n\n"
        "Open your inbox at\nhttps://gateway.example/inbox\n\n"
        "This message says nothing about any child, on purpose. Please write\n"
        "nothing about a child when you forward it. Nobody reads answers to it.\n"
    )


def test_one_that_waits_alone_is_named_in_the_subject(server: MailServer, where: Where) -> None:
    alert = an_alert()
    send(where, alert)
    assert server.mails[0].message["Subject"] == f"SEND notification {alert.untold[0].reference} waits"


def test_a_digest_names_ten_and_counts_the_rest(server: MailServer, where: Where) -> None:
    alert = an_alert(13)
    assert len(send(where, alert).told) == 13
    text = server.mails[0].message.get_content()
    assert [each.reference in text for each in alert.untold] == [True] * 10 + [False] * 3
    assert "  and 3 more" in text


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("no-starttls", "starttls-missing"),
        ("no-mailbox", "mailbox-refused"),
        ("busy", "smtp-451"),
        ("full", "smtp-552"),
        ("dies", "reset"),
        ("drip", "timeout"),
        ("hang", "timeout"),
    ],
)
def test_what_the_server_does_decides_the_code_and_no_word_of_its_is_logged(server: MailServer, where: Where, how: str, code: str) -> None:
    server.how = how
    started = monotonic()
    with capture_logs() as told:
        result = send(replace(where, timeout=timedelta(seconds=0.6)), an_alert())
    assert result == AlertResult((), code)
    assert monotonic() - started < 10
    assert server.mails == told == []


def test_a_rude_farewell_changes_nothing(server: MailServer, where: Where) -> None:
    server.how = "rude"
    assert send(where, an_alert()).code is None
    assert len(server.mails) == 1


def test_nobody_listening_and_no_such_host_have_codes(where: Where) -> None:
    assert send(replace(where, port=free_port()), an_alert()).code == "refused"
    assert send(replace(where, host="mail.invalid"), an_alert()).code == "unresolved"


def test_nothing_is_handed_over_to_a_server_whose_certificate_is_not_trusted(server: MailServer, where: Where) -> None:
    assert send(replace(where, ca_file=None), an_alert()).code == "tls"
    assert send(replace(where, host="127.0.0.1"), an_alert()).code == "tls"
    assert server.mails == []


def test_tls_from_the_first_byte_and_a_login(trust: tuple[ssl.SSLContext, Path], where: Where) -> None:
    implicit = MailServer(trust=trust[0], implicit=True)
    name, password = LOGIN
    there = replace(where, port=implicit.port, security=MailSecurity.TLS, user=name, password=password)
    try:
        assert send(there, an_alert()).code is None
        assert send(replace(there, password="another"), an_alert()).code == "sign-in-refused"
        assert [(mail.over_tls, mail.signed_in) for mail in implicit.mails] == [(True, True)]
    finally:
        implicit.close()
    assert password not in repr(there)


def test_without_tls_on_this_machine(where: Where) -> None:
    plain = MailServer()
    try:
        assert send(replace(where, host="127.0.0.1", port=plain.port, security=MailSecurity.NONE), an_alert()).code is None
        assert [mail.over_tls for mail in plain.mails] == [False]
    finally:
        plain.close()


def test_whether_the_server_would_take_e_mail_can_be_tried_without_sending_any(server: MailServer, where: Where) -> None:
    def tried(there: Where) -> str | None:
        return MailSender(there, base_url="", clock=FixedClock()).try_door()

    assert tried(where) is None
    assert tried(replace(where, user="nobody", password="nothing")) == "sign-in-refused"
    server.how = "no-starttls"
    assert tried(where) == "starttls-missing"
    assert server.mails == []


def test_closing_ends_what_is_under_way(server: MailServer, where: Where) -> None:
    server.how = "hang"
    sender = MailSender(replace(where, timeout=timedelta(minutes=1)), base_url="https://gateway.example", clock=FixedClock())
    results: list[AlertResult] = []
    thread = threading.Thread(target=lambda: results.extend(sender.send([an_alert()])))
    thread.start()
    eventually(lambda: server.under_way)
    sender.close()
    thread.join(5)
    assert results == [AlertResult((), "stopping")]
    assert sender.send([an_alert()]) == [AlertResult((), "stopping")]


def test_an_address_that_would_add_a_header_ends_no_line(server: MailServer, where: Where) -> None:
    """It cannot come so far, for addresses are judged when they are added; and if it did, nothing would leave."""
    assert send(where, replace(an_alert(), address="a@stockton.example\r\nBcc: b@elsewhere.example")).code == "unexpected"
    assert server.mails == []


def test_the_documentation_shows_an_e_mail_as_it_is() -> None:
    shown = re.search(r"```text\n(From: .*?)```", (ROOT / "docs" / "authorities.md").read_text(encoding="utf-8"), re.S)
    assert shown is not None
    untold = tuple(Untold(uuid4(), reference) for reference in ("SEN-7K2M9QXR-C", "SEN-3VB6T0WH-4"))
    made = email(replace(an_alert(waiting=3), untold=untold), sender=SENDER, base_url="https://gateway.example", now=FixedClock().now())
    headers = "".join(f"{name}: {made[name]}\n" for name in ("From", "To", "Subject"))
    assert shown[1] == headers + "\n" + made.get_content().replace("\r\n", "\n")
