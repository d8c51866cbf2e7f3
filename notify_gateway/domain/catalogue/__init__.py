# SPDX-License-Identifier: MIT
"""The one catalogue of errors: code, title, why, fix, retry, HTTP status, FHIR issue code, since."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType

from notify_gateway.domain.catalogue import (
    access,
    alerts,
    casework,
    client_keys,
    content,
    delivery,
    devices,
    enclosed,
    erasure,
    identity,
    law,
    log,
    message,
    onboarding,
    paper,
    routing,
    service,
    sign_in,
    staff,
    structure,
    transport,
)
from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

__all__ = ["Code", "Entry", "all_entries", "entry", "families", "family_of"]

_FAMILIES = (
    transport,
    access,
    sign_in,
    staff,
    structure,
    message,
    content,
    enclosed,
    law,
    routing,
    identity,
    delivery,
    onboarding,
    alerts,
    client_keys,
    devices,
    casework,
    paper,
    log,
    erasure,
    service,
)
_ENTRIES: tuple[Entry, ...] = tuple(chain.from_iterable(family.ENTRIES for family in _FAMILIES))
_BY_CODE = MappingProxyType({item.code.value: item for item in _ENTRIES})
_NAMES = {
    "transport": "Request",
    "access": "Access",
    "sign_in": "Sign-in",
    "staff": "Sign-in",
    "structure": "FHIR structure",
    "content": "Message",
    "enclosed": "Message",
    "law": "Section 23",
    "identity": "Identity and conflicts",
    "onboarding": "Registration",
    "alerts": "Registration",
    "casework": "Inbox",
    "paper": "Inbox",
    "log": "Audit log",
    "client_keys": "Registration",
}
_FAMILY_BY_CODE = MappingProxyType(
    {
        item.code.value: _NAMES.get(name, name.replace("_", " ").capitalize())
        for name, family in ((module.__name__.rpartition(".")[2], module) for module in _FAMILIES)
        for item in family.ENTRIES
    }
)


def entry(code: str) -> Entry:
    """Return the catalogue entry of ``code``; raises ``KeyError`` for a code that was never published."""
    return _BY_CODE[code]


def all_entries() -> tuple[Entry, ...]:
    """Return every entry, in the order of the families."""
    return _ENTRIES


def families() -> tuple[str, ...]:
    """Return the names of the families, in their order."""
    return tuple(dict.fromkeys(_FAMILY_BY_CODE.values()))


def family_of(code: str) -> str:
    """Return the name of the family that ``code`` belongs to; raises ``KeyError`` for a code that was never published."""
    return _FAMILY_BY_CODE[code]
