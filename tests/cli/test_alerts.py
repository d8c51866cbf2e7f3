# SPDX-License-Identifier: MIT
"""Saying where an authority is alerted: added, listed with what goes wrong, removed; refused where no alert could go."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from notify_gateway.settings import Settings
from tests.cli.conftest import Call
from tests.support.mail_server import MailServer
from tests.workers.test_webhook import certificate_for

GSS, MAILBOX, HOOK = "E06000004", "send-inbox@stockton.example", "https://alerts.stockton.example/hook"
EMAIL = ("--kind", "email", "--to", MAILBOX)
WEBHOOK = ("--kind", "webhook", "--to", HOOK)


def test_addresses_come_are_listed_and_go(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready("authorities", "alerts", "list", "--json").json == []
    assert "Nobody is alerted" in ready("authorities", "alerts", "list").words
    unknown = ready("authorities", "alerts", "add", GSS, *WEBHOOK)
    assert unknown.status == 1
    ready("authorities", "register", GSS, "--custody", "authority-held", "--channel", "inbox")
    off = ready("authorities", "alerts", "add", GSS, *EMAIL)
    assert (off.status, "NG-7224" in off.err, "NOTIFY_GATEWAY_SMTP_HOST" in off.err) == (1, True, True)
    monkeypatch.setenv("NOTIFY_GATEWAY_SMTP_HOST", "mail.gateway.example")
    monkeypatch.setenv("NOTIFY_GATEWAY_SMTP_FROM", "alerts@gateway.example")
    added = ready("authorities", "alerts", "add", GSS.lower(), *EMAIL, "--json").json
    assert {name: added[name] for name in ("authority", "kind", "to", "sent_at", "last_code")} == {
        "authority": GSS,
        "kind": "email",
        "to": MAILBOX,
        "sent_at": None,
        "last_code": None,
    }
    assert "is alerted by webhook" in ready("authorities", "alerts", "add", GSS, *WEBHOOK).words
    assert [each["kind"] for each in ready("authorities", "alerts", "list", GSS, "--json").json] == ["email", "webhook"]
    shown = ready("authorities", "alerts", "list").words
    assert MAILBOX in shown
    assert "never" in shown
    assert "is alerted no more" in ready("authorities", "alerts", "remove", GSS, *EMAIL).words
    assert "NG-7223" in ready("authorities", "alerts", "remove", GSS, *EMAIL).err
    assert [each["to"] for each in ready("authorities", "alerts", "list", "--json").json] == [HOOK]


def test_the_doctor_tries_the_mail_server_and_names_who_could_not_be_told(
    ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def found() -> dict[str, tuple[str, str]]:
        return {each["name"]: (each["state"], each["value"]) for each in ready("doctor", "--json").json["checks"]}

    assert {"mail", "alerts"} & found().keys() == set()
    serving, _ = certificate_for("localhost", tmp_path)
    server = MailServer(trust=serving)
    where = {"HOST": "localhost", "PORT": str(server.port), "FROM": "alerts@gateway.example", "CA_FILE": str(tmp_path / "chain.pem")}
    for name, value in where.items():
        monkeypatch.setenv(f"NOTIFY_GATEWAY_SMTP_{name}", value)
    ready("authorities", "register", GSS, "--custody", "authority-held", "--channel", "inbox")
    ready("authorities", "alerts", "add", GSS, *EMAIL)
    assert found()["mail"] == ("ok", f"localhost:{server.port} (starttls)")
    assert found()["alerts"] == ("ok", "1 addresses")
    server.close()
    with closing(sqlite3.connect("var/main.sqlite3")) as connection, connection:
        connection.execute("UPDATE alert_addresses SET last_code = 'mailbox-refused', attempts = 3")
    assert found()["mail"] == ("fail", f"localhost:{server.port} (starttls): refused")
    assert found()["alerts"] == ("warn", "1 of 1 addresses could not be told: mailbox-refused")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_FROM", "Alerts <alerts@gateway.example>"),
        ("SMTP_FROM", "alerts@gateway.example\nBcc: somebody@elsewhere.example"),
        ("SMTP_FROM", ""),
        ("SMTP_USER", "alerts"),
        ("SMTP_SECURITY", "none"),
        ("SMTP_TIMEOUT", "PT2M"),
        ("ALERT_PAUSE", "PT0S"),
    ],
)
def test_settings_that_would_mail_in_the_open_or_not_at_all_are_refused(
    call: Call, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    chosen = {"SMTP_HOST": "mail.gateway.example", "SMTP_FROM": "alerts@gateway.example", name: value}
    for key, each in chosen.items():
        monkeypatch.setenv(f"NOTIFY_GATEWAY_{key}", each)
    refused = call("config", "show")
    assert refused.status != 0
    assert "smtp_" in refused.err.lower() or "alert_pause" in refused.err.lower()


def test_an_empty_login_as_the_compose_file_has_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "smtp_password").write_text("\n")
    monkeypatch.setenv("NOTIFY_GATEWAY_SMTP_PASSWORD_FILE", str(tmp_path / "smtp_password"))
    chosen = Settings(smtp_host="mail.gateway.example", smtp_from="alerts@gateway.example", smtp_user="")
    assert chosen.smtp_user is chosen.smtp_password is None
    assert Settings(smtp_host="", smtp_from="").smtp_host is None
