# SPDX-License-Identifier: MIT
"""Alerting beside whatever else a process does: a thread for each kind of alert, so that no slow receiver holds anything else up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notify_gateway.settings import Settings
    from notify_gateway.use_cases.gateway import Core
    from workers.alerting.alerter import Sender
    from workers.alerting.mail import MailServer

EVERY = 2.0
"""Seconds between two looks at what is due."""
ENDS_WITHIN = 5.0
"""Seconds that a thread has to record how its last attempt ended; of one that has not, the log says later that it is not known."""


@contextmanager
def alerting(core: Core, *, every: float = EVERY) -> Iterator[None]:
    """Alert authorities while the block runs, by e-mail only where a mail server is set.

    Raises ``OSError`` when the file of certificates that the settings name is not there.
    """
    from workers.alerting.alerter import Alerter

    stop, senders = threading.Event(), make_senders(core)
    threads = [
        threading.Thread(target=Alerter(core, sender, stop, every=every).run, name=f"alerts-{sender.kind.value}", daemon=True)
        for sender in senders
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for sender in senders:
            sender.close()
        for thread in threads:
            thread.join(timeout=ENDS_WITHIN)


def make_senders(core: Core) -> list[Sender]:
    """Return what sends alerts, as the settings have it."""
    from notify_gateway.egress.guard import Egress
    from workers.alerting.mail import MailSender
    from workers.alerting.thin_webhook import ThinWebhookSender
    from workers.channels.signature import RequestSigner

    chosen, key = core.settings, core.signing_key
    base_url = chosen.base_url.rstrip("/")
    senders: list[Sender] = [
        ThinWebhookSender(
            signer=RequestSigner(key.kid, key.private),
            clock=core.clock,
            timeout=chosen.webhook_timeout,
            egress=Egress(allow_private=chosen.webhook_allow_private),
            base_url=base_url,
        )
    ]
    server = mail_server(chosen)
    if server is not None:
        senders.append(MailSender(server, base_url=base_url, clock=core.clock))
    return senders


def mail_server(chosen: Settings) -> MailServer | None:
    """Return where e-mail is handed over, or None where none is sent."""
    from workers.alerting.mail import MailServer

    if chosen.smtp_host is None or chosen.smtp_from is None:
        return None
    return MailServer(
        host=chosen.smtp_host,
        port=chosen.smtp_port,
        security=chosen.smtp_security,
        sender=chosen.smtp_from,
        timeout=chosen.smtp_timeout,
        ca_file=chosen.smtp_ca_file,
        user=chosen.smtp_user,
        password=chosen.smtp_password.get_secret_value() if chosen.smtp_password else None,
    )
