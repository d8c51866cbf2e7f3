# SPDX-License-Identifier: MIT
"""The one table of what the log can say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType

from audit.vocabulary import access, casework, delivery, devices, log, notification, paper, seeing, staff
from audit.vocabulary.row import EventType, Klass

__all__ = ["VOCABULARY", "EventType", "Klass"]

_FAMILIES = (notification, delivery, casework, access, devices, staff, seeing, paper, log)
VOCABULARY: Mapping[str, EventType] = MappingProxyType({row.tag: row for row in chain.from_iterable(f.TYPES for f in _FAMILIES)})
