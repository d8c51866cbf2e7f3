# SPDX-License-Identifier: MIT
"""What a sender sees of its own notifications: where each stands, and the proof that it is in the log."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client
from notify_gateway.store.tracking import SenderNotifications, Tracked
from notify_gateway.use_cases import proofs
from notify_gateway.use_cases.gateway import Gateway


def where_it_stands(gateway: Gateway, *, client: Client, notification_id: UUID) -> Tracked:
    """Return where the client's notification stands; raises ``NotFound`` for any that is not the client's own."""
    with reading(gateway.engine).begin() as connection:
        tracked = SenderNotifications(connection, client.id).find(notification_id)
    if tracked is None:
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    return tracked


def acceptance_receipt(gateway: Gateway, *, client: Client, notification_id: UUID) -> proofs.Proof:
    """Return the proof that the acceptance is in the log.

    Raises ``NotFound`` for a notification that is not the client's own, ``Unavailable`` while it waits to be sequenced.
    """
    return proofs.proof_of(gateway, where_it_stands(gateway, client=client, notification_id=notification_id).accepted_event)
