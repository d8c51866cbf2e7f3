# SPDX-License-Identifier: MIT
"""The one catalogue of errors: code, title, why, fix, retry, HTTP status, FHIR issue code, since."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType

from notify_gateway.domain.catalogue import (
    access,
    content,
    delivery,
    identity,
    law,
    message,
    onboarding,
    routing,
    service,
    structure,
    transport,
)
from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

__all__ = ["Code", "Entry", "all_entries", "entry"]

_FAMILIES = (transport, access, structure, message, content, law, routing, identity, delivery, onboarding, service)
_ENTRIES: tuple[Entry, ...] = tuple(chain.from_iterable(family.ENTRIES for family in _FAMILIES))
_BY_CODE = MappingProxyType({item.code.value: item for item in _ENTRIES})


def entry(code: str) -> Entry:
    """Return the catalogue entry of ``code``; raises ``KeyError`` for a code that was never published."""
    return _BY_CODE[code]


def all_entries() -> tuple[Entry, ...]:
    """Return every entry, in the order of the families."""
    return _ENTRIES
