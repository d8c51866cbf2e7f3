# SPDX-License-Identifier: MIT
"""Errors of setting up where an authority is alerted; seen by those who run the service."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.ALERT_ADDRESS,
        title="Alerts cannot go to that address",
        why="An e-mail goes to one plain mailbox (name@council.gov.uk, no display name, no list), a webhook to an https address that the "
        "service may send to: port 443, no user or password in it, no private address.",
        fix="Give the address alone, as the authority has confirmed it.",
        status=422,
        issue="value",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.ALERT_KNOWN,
        title="The authority is alerted there already",
        why="Each address is told once of what waits.",
        fix="Nothing; the list of alerts shows it.",
        status=409,
        issue="duplicate",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.ALERT_UNKNOWN,
        title="The authority is not alerted there",
        why="Only an address that is registered for alerts can be removed.",
        fix="Look the address up in the list of alerts and give it as it stands there.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.ALERT_MAIL_OFF,
        title="This service sends no e-mail",
        why="Alerts by e-mail need a mail server and an address that they come from, and neither has a default.",
        fix="Set NOTIFY_GATEWAY_SMTP_HOST and NOTIFY_GATEWAY_SMTP_FROM for every process, and start the scheduler again.",
        status=409,
        issue="not-supported",
        rec="REC_CONFLICT",
    ),
)
