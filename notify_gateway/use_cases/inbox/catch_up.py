# SPDX-License-Identifier: MIT
"""Taking into the inbox what was offered there before it had pages, or while an older worker was still at work."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from uuid import UUID

from sqlalchemy import select

from notify_gateway.domain.errors import Conflict, NotFound
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.route import ChannelName
from notify_gateway.store import outbox, shred
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import collect
from notify_gateway.use_cases.deliver import document
from notify_gateway.use_cases.gateway import Core

AT_ONCE = 500


def catch_up(core: Core) -> int:
    """Receive what still lies offered in inboxes, in the order in which it was offered; return how many were taken in."""
    d = deliveries.c
    lying = select(d.id, d.authority).where(d.state == State.OFFERED.value, d.channel == ChannelName.INBOX.value)
    with reading(core.engine).begin() as connection:
        found = connection.execute(lying.order_by(d.offered_at, d.id).limit(AT_ONCE)).all()
    count = 0
    for row in found:
        # Whatever was overtaken meanwhile is not to be received any more.
        with suppress(NotFound, Conflict):
            digest = _digest(core, row.authority, row.id)
            collect.confirm_received(core, authority=row.authority, delivery_id=row.id, digest=digest, inbox=True)
            count += 1
    return count


def _digest(core: Core, authority: str, delivery_id: UUID) -> bytes:
    with reading(core.engine).begin() as connection:
        row = collect.own_delivery(connection, authority, delivery_id)
        parts = outbox.parts(connection, [row.message_id])[row.message_id]
    key = shred.find(core.shred_engine, [row.message_id]).get(row.message_id)
    return hashlib.sha256(document(core, row, parts, key)).digest()
