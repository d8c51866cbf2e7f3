# SPDX-License-Identifier: MIT
"""Accepting a notification (Children and Families Act 2014 s.23(3)): prepare, commit, answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.log import insert_prepared
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Duplicate, Issue, NotAllowed, Refused
from notify_gateway.fhir.structure import SMALL_MESSAGE
from notify_gateway.store.acceptance import Acceptance, Outcome, Standing
from notify_gateway.store.amendment import leave_tombstone
from notify_gateway.store.tables import audit_tables
from notify_gateway.telemetry.metrics import ACCEPT_SECONDS, ACCEPTED, REFUSED, code_of
from notify_gateway.telemetry.tracing import Act, span
from notify_gateway.use_cases.commit import Committer, Expected
from notify_gateway.use_cases.examine import CheckStructure
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.prepare import Received, WithdrawalOfNothing, prepare, refusal

SMALL_BODY = SMALL_MESSAGE
"""Bodies up to this size are read in the event loop; larger ones in a thread, and what is large without attachments in another process."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A notification that is kept and will be delivered."""

    notification_id: UUID
    reference: str
    authority: str
    accepted_at: datetime
    event_id: UUID
    leaf: bytes
    leaf_hash: bytes


async def accept(
    gateway: Gateway, committer: Committer, received: Received, *, check_large: CheckStructure, expected: Expected | None = None
) -> Accepted:
    """Accept the message, or refuse it with the reason in the log.

    When this returns, the notification, its delivery and its audit event are durable, all or none. Raises ``Refused``, ``NotAllowed`` and
    ``NotFound`` after their audit entry is durable, ``Duplicate`` and ``Conflict`` for what is held already, and ``Unavailable`` when
    nothing is promised.
    """
    began = time.perf_counter()
    try:
        with span(Act.ACCEPT) as told:
            accepted = await _accept(gateway, committer, received, check_large, expected)
            told.note(notification=accepted.notification_id, authority=accepted.authority)
    except Exception as error:
        REFUSED.labels(code_of(error)).inc()
        raise
    finally:
        ACCEPT_SECONDS.observe(time.perf_counter() - began)
    ACCEPTED.inc()
    return accepted


async def _accept(
    gateway: Gateway, committer: Committer, received: Received, check_large: CheckStructure, expected: Expected | None
) -> Accepted:
    try:
        made = await _prepare(gateway, received, check_large, expected)
    except WithdrawalOfNothing as error:
        await asyncio.to_thread(_remember_withdrawal, gateway, received, error)
        raise
    except (Refused, NotAllowed) as error:
        await committer.refuse(refusal(gateway, received, error))
        raise
    with span(Act.COMMIT):
        outcome = await committer.accept(made)
    _require_kept(outcome)
    return Accepted(
        notification_id=made.notification_id,
        reference=made.reference,
        authority=made.authority,
        accepted_at=made.at,
        event_id=made.leaf.event_id,
        leaf=made.leaf.leaf,
        leaf_hash=made.leaf.leaf_hash,
    )


async def _prepare(gateway: Gateway, received: Received, check_large: CheckStructure, expected: Expected | None) -> Acceptance:
    try:
        if len(received.body.reveal()) <= SMALL_BODY:
            return prepare(gateway, received)
        return await asyncio.to_thread(prepare, gateway, received, check=check_large)
    finally:
        if expected is not None:
            expected.is_here()


def _remember_withdrawal(gateway: Gateway, received: Received, error: WithdrawalOfNothing) -> None:
    with gateway.engine.begin() as connection:
        leave_tombstone(
            connection,
            client_id=received.client.id,
            business_key=error.business_key,
            version_at=error.version_at,
            now=gateway.clock.now(),
        )
        insert_prepared(connection, audit_tables, [refusal(gateway, received, error)])


def _require_kept(outcome: Outcome) -> None:
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
        case Standing.OLDER:
            raise Conflict(Issue(Code.OLDER_THAN_HELD, "Bundle.entry[0].resource.meta.lastUpdated"))
        case Standing.WITHDRAWN_BEFORE:
            raise Conflict(Issue(Code.WITHDRAWN_BEFORE))
        case Standing.OVERTAKEN:
            raise Conflict(Issue(Code.STILL_PROCESSING))
