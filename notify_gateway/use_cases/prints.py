# SPDX-License-Identifier: MIT
"""Keyed digests of a child's name, address and contacts, by which an update tells which of them it changed, and never to what."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson

from notify_gateway.domain.model import Card
from notify_gateway.use_cases.gateway import Gateway

SIZE: Final = 16
_OF_CHILD: Final = {"name": ("names",), "address": ("address", "address_restricted"), "contact": ("telecoms",)}


def prints_of(gateway: Gateway, card: Card, notification_id: UUID) -> tuple[bytes, bytes, bytes]:
    """Return the digests of name, address and contacts, in this order.

    They are of one notification: those of another about the same child are others, so that nobody can be followed by them.
    """
    facts = card.reveal()
    child, carers = facts.get("child", {}), facts.get("carers", [])
    of_carers = [{name: each.get(name) for name in ("names", "relationship", "telecoms", "address")} for each in carers]
    name, address, contact = ({each: child.get(each) for each in names} for names in _OF_CHILD.values())
    parts: dict[str, Any] = {"name": name, "address": address, "contact": [contact, of_carers]}
    root = gateway.pseudonyms.versions[-1]
    name_print, address_print, contact_print = (
        gateway.pseudonyms.keyed_digest(f"changed-{part}", notification_id.bytes + orjson.dumps(value, option=orjson.OPT_SORT_KEYS), root)[
            :SIZE
        ]
        for part, value in parts.items()
    )
    return name_print, address_print, contact_print
