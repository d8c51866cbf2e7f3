# SPDX-License-Identifier: MIT
"""Accepting a notification (Children and Families Act 2014 s.23(3)): prepare, commit, answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Duplicate, Issue, NotAllowed, Refused
from notify_gateway.store.acceptance import Outcome, Standing
from notify_gateway.use_cases.commit import Committer
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.prepare import CheckStructure, Prepared, Received, prepare, refusal

SMALL_BODY = 32 * 1024
"""Bodies up to this size are read in the event loop; larger ones in a thread, and their structure in another process."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A notification that is kept and will be delivered."""

    notification_id: UUID
    reference: str
    authority: str
    flags: tuple[str, ...]
    accepted_at: datetime
    event_id: UUID
    leaf: bytes
    leaf_hash: bytes


async def accept(gateway: Gateway, committer: Committer, received: Received, *, check_large: CheckStructure) -> Accepted:
    """Accept the message, or refuse it with the reason in the log.

    When this returns, the notification, its delivery and its audit event are durable, all or none. Raises ``Refused`` and ``NotAllowed``
    after their audit entry is durable, ``Duplicate`` and ``Conflict`` for what is held already, ``Unavailable`` when nothing is promised.
    """
    try:
        prepared = await _prepare(gateway, received, check_large)
    except (Refused, NotAllowed) as error:
        await committer.refuse(refusal(gateway, received, error))
        raise
    outcome = await committer.accept(prepared.acceptance)
    _require_new(outcome)
    made = prepared.acceptance
    return Accepted(
        notification_id=made.notification_id,
        reference=prepared.reference,
        authority=prepared.authority,
        flags=prepared.flags,
        accepted_at=made.at,
        event_id=made.leaf.event_id,
        leaf=made.leaf.leaf,
        leaf_hash=made.leaf.leaf_hash,
    )


async def _prepare(gateway: Gateway, received: Received, check_large: CheckStructure) -> Prepared:
    if len(received.body.reveal()) <= SMALL_BODY:
        return prepare(gateway, received)
    return await asyncio.to_thread(prepare, gateway, received, check=check_large)


def _require_new(outcome: Outcome) -> None:
    match outcome.standing:
        case Standing.ACCEPTED:
            return
        case Standing.DUPLICATE:
            raise Duplicate(Code.DUPLICATE, notification_id=outcome.notification_id)
        case Standing.CONFLICT:
            raise Conflict(Issue(Code.MESSAGE_CONFLICT))
        case Standing.REQUEST_ID_USED:
            raise Conflict(Issue(Code.REQUEST_ID_REUSED))
        case Standing.USE_UPDATE:
            raise Conflict(Issue(Code.USE_UPDATE, "Bundle.entry[0].resource.reason"))
