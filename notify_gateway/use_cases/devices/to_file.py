# SPDX-License-Identifier: MIT
"""Handing a sealed card over as a file, for the command on a machine that has a key: the stronger custody, and the recovery key's way.

It is the delivery document that other authorities collect, with the card alone. The reason is in the log first, as for a browser.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.store import outbox, shred
from notify_gateway.store.hand_overs import AuthorityHandOvers
from notify_gateway.store.row_level import scoped
from notify_gateway.use_cases.deliver import document
from notify_gateway.use_cases.devices.enrol import receiver_of
from notify_gateway.use_cases.devices.hand_over import Asked, delivery_of, permission, tell
from notify_gateway.use_cases.gateway import Gateway

COMMAND: Final = "command"
"""What stands for a device's key where it is not known which key will open."""


def sealed_file(gateway: Gateway, *, by: Person, reference: str, reason: str, case_reference: str, lasts: timedelta) -> bytes:
    """Return the delivery document with the sealed card; that it was handed over, and why, is in the log before.

    Raises ``NotAllowed``; ``NotFound`` for a notification that is not in the authority's inbox; ``Refused`` without a reason and a case
    reference; ``Conflict`` in managed custody, and for what was sent back, withdrawn, overtaken or erased.
    """
    require(by, Act.REVEAL_CARD)
    receiver = receiver_of(gateway, by)
    asked = Asked(reference=reference, kind="card", kid=COMMAND, reason=reason, case_reference=case_reference)
    now = gateway.clock.now()
    with scoped(gateway.engine, receiver.gss) as connection:
        own = AuthorityHandOvers(connection, receiver.gss)
        row = delivery_of(own, reference)
        parts = outbox.parts(connection, [row.message_id])[row.message_id]
        tell(connection, permission(connection, own, row, by, asked, now, lasts), by)
    key = shred.find(gateway.shred_engine, [row.message_id]).get(row.message_id)
    if key is None:
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
    return document(gateway, row, replace(parts, envelopes=tuple(each for each in parts.envelopes if each.kind == "card")), key)
