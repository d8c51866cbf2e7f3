# SPDX-License-Identifier: MIT
"""Alerts examined: the mail server lets the service in, and every address was told of what waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from notify_gateway.cli.alerting import mail_server
from notify_gateway.cli.findings import Check, State
from notify_gateway.domain.clock import Clock
from notify_gateway.settings import Settings
from notify_gateway.store import alerts
from notify_gateway.store.engine import reading
from workers.alerting.mail import MailSender, MailServer

TRIED_WITHIN = timedelta(seconds=5)


def check_alerts(engine: Engine, settings: Settings, clock: Clock) -> Iterator[Check]:
    """The mail server takes our sign-in, where one is set, and no address stands with a failure, where there are addresses."""
    server = mail_server(settings)
    if server is not None:
        yield _check_mail(replace(server, timeout=min(server.timeout, TRIED_WITHIN)), clock)
    with reading(engine).begin() as connection:
        listed = alerts.listed(connection)
    failing = [each for each in listed if each.last_code is not None]
    if failing:
        codes = ", ".join(sorted({each.last_code for each in failing if each.last_code is not None}))
        fix = "Look with notify-gateway authorities alerts list; docs/operators.md says of each code what to do."
        yield Check("alerts", State.WARN, f"{len(failing)} of {len(listed)} addresses could not be told: {codes}", fix)
    elif listed:
        yield Check("alerts", State.OK, f"{len(listed)} addresses")


def _check_mail(server: MailServer, clock: Clock) -> Check:
    value = f"{server.host}:{server.port} ({server.security.value})"
    try:
        code = MailSender(server, base_url="", clock=clock).try_door()
    except OSError:
        code = "no-certificates"
    if code is None:
        return Check("mail", State.OK, value)
    return Check(
        "mail", State.FAIL, f"{value}: {code}", "Mend the mail server or the NOTIFY_GATEWAY_SMTP_… settings; docs/operators.md, Alerts."
    )
