# SPDX-License-Identifier: MIT
"""What operators do with notifications that were sent back twice: see them, and record that it is settled whose they are."""

from __future__ import annotations

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store import disputes, erasure
from notify_gateway.store.disputes import Dispute
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core


def list_disputes(core: Core) -> list[Dispute]:
    """Return what is being settled, the longest open first."""
    with reading(core.engine).begin() as connection:
        return disputes.listed(connection)


def settle(core: Core, *, reference: str, actor: str) -> bool:
    """It is settled, with the managers of both, whose the notification is, and it may be sent back again; tell whether it was not before.

    Raises ``NotFound`` for an unknown reference.
    """
    now = core.clock.now()
    with core.engine.begin() as connection:
        notification = erasure.find_notification(connection, reference)
        if notification is None:
            raise NotFound(Issue(Code.TASK_UNKNOWN))
        if not disputes.settle(connection, notification, at=now, by=actor):
            return False
        append(connection, audit_tables, [Event("case:settled", at=now, actor=actor, subject=str(notification))])
    return True
