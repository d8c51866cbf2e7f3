# SPDX-License-Identifier: MIT
"""Classes of what operators do for the inboxes: the class, and the events that it always leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audit.vocabulary import Klass

ROWS: Final[Mapping[str, tuple[Klass, tuple[str, ...]]]] = {
    "command operations disputes list": (Klass.STATUS, ()),
    "command operations disputes settle": (Klass.CHANGE, ("case:settled",)),
}
