# SPDX-License-Identifier: MIT
"""What an alert says: that something waits, and where. No word of it comes from a notification but its reference, which is random."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import orjson

from notify_gateway.domain.alerts import MOST_REFERENCES, Alert, Untold

_WHERE = {
    "pull": ("Your system collects them at", "/authority/v1/deliveries"),
    "mesh": ("They are in your MESH mailbox. The service is at", "/"),
    "sftp": ("They are in your SFTP folder. The service is at", "/"),
    "inbox": ("Open your inbox at", "/inbox"),
}
_ELSEWHERE = ("The service is at", "/")


def email(alert: Alert, *, sender: str, base_url: str, now: datetime) -> EmailMessage:
    """Return the e-mail: how much waits, the references that are new to the mailbox (ten at most), and a link.

    The addresses are plain mailboxes of ASCII characters; the library refuses a header with the end of a line in it besides.
    """
    message = EmailMessage(policy=SMTP)
    references = tuple(dict.fromkeys(each.reference for each in alert.untold))
    message["From"], message["To"] = sender, alert.address
    message["Subject"] = _subject(alert, references)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{alert.id}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    named, more = references[:MOST_REFERENCES], len(references) - MOST_REFERENCES
    where, path = _WHERE.get(alert.custody_channel, _ELSEWHERE)
    # Short lines, so that the text needs no coding and is read as it stands by whoever looks at the raw message.
    lines = [
        f"{_deliveries(alert.waiting)} (section 23 notifications) for",
        f"{alert.name} ({alert.authority}).",
        "",
        "New since the last message:",
        *(f"  {reference}" for reference in named),
        *([f"  and {more} more"] if more > 0 else []),
        "",
        where,
        f"{base_url}{path}",
        "",
        "This message says nothing about any child, on purpose. Please write",
        "nothing about a child when you forward it. Nobody reads answers to it.",
    ]
    message.set_content("\n".join(lines) + "\n")
    return message


def thin(alert: Alert, untold: Untold, *, base_url: str) -> bytes:
    """Return the body of a thin webhook: that one delivery waits, and where; nothing else about it."""
    pulled = alert.custody_channel == "pull"
    return orjson.dumps(
        {
            "format": "notify-gateway/alert",
            "version": 1,
            "authority": alert.authority,
            "delivery_id": str(untold.delivery_id),
            "event": "something-waits",
            "link": f"{base_url}/authority/v1/deliveries/{untold.delivery_id}" if pulled else f"{base_url}/",
        }
    )


def domain_of(mailbox: str) -> str:
    """Return what stands behind the @."""
    return mailbox.rpartition("@")[2]


def _subject(alert: Alert, references: Sequence[str]) -> str:
    if len(references) == 1 and alert.waiting == 1:
        return f"SEND notification {references[0]} waits"
    return f"SEND notifications: {_deliveries(alert.waiting)}"


def _deliveries(count: int) -> str:
    return "1 delivery waits" if count == 1 else f"{count} deliveries wait"
