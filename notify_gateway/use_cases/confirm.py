# SPDX-License-Identifier: MIT
"""Receipts that come back by the channel itself, MESH or SFTP, where nobody waits for an answer: what each came to."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotFound
from notify_gateway.store.collection import AuthorityDeliveries
from notify_gateway.store.engine import reading
from notify_gateway.use_cases import collect
from notify_gateway.use_cases.gateway import Core


class Receipt(StrEnum):
    """What a receipt came to."""

    HELD = "held"
    """The log says that the authority has the delivery, from now on or since before."""
    EARLY = "early"
    """The delivery is on its way, and that it went out is not recorded yet: look at the receipt again later."""
    OVERTAKEN = "overtaken"
    """The delivery was superseded, cancelled or sent back meanwhile; nothing more is recorded of it."""
    DIFFERS = "differs"
    """The digest is not that of the document: what the authority has is not what was sent."""
    UNKNOWN = "unknown"
    """The authority has no such delivery."""


def confirm_receipt(core: Core, *, authority: str, delivery_id: UUID, digest: bytes) -> Receipt:
    """Record that the authority's system holds the document whose SHA-256 is ``digest``, if that is so; a second call changes nothing."""
    try:
        collect.confirm_received(core, authority=authority, delivery_id=delivery_id, digest=digest)
    except NotFound:
        with reading(core.engine).begin() as connection:
            row = AuthorityDeliveries(connection, authority).find(delivery_id)
        if row is None:
            return Receipt.UNKNOWN
        return Receipt.EARLY if row.state == "queued" else Receipt.OVERTAKEN
    except Conflict as conflict:
        differs = any(issue.code is Code.DELIVERY_DIGEST for issue in conflict.issues)
        return Receipt.DIFFERS if differs else Receipt.OVERTAKEN
    return Receipt.HELD
