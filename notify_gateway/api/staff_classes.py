# SPDX-License-Identifier: MIT
"""What people do at the entrance, and the commands about members of staff: the class of each, and the events that it always leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audit.vocabulary import Klass

ROWS: Final[Mapping[str, tuple[Klass, tuple[str, ...]]]] = {
    "GET /sign-in": (Klass.PUBLIC, ()),
    # Begun sign-ins are nobody's act yet; who came in, or was refused, is in the log.
    "GET /sign-in/with/{provider_id}": (Klass.PUBLIC, ()),
    "GET /sign-in/callback/{provider_id}": (Klass.CHANGE, ("staff_session:opened",)),
    "GET /sign-in/again": (Klass.STATUS, ()),
    "GET /sign-in/continue": (Klass.STATUS, ()),
    # What was never sent is nobody's but its author's.
    "POST /sign-in/discard": (Klass.STATUS, ()),
    "GET /account": (Klass.STATUS, ()),
    "GET /still-here": (Klass.STATUS, ()),
    "POST /sign-out": (Klass.CHANGE, ("staff_session:closed",)),
    "POST /sign-out/everywhere": (Klass.CHANGE, ("staff_session:closed",)),
    "command staff list": (Klass.STATUS, ()),
    "command staff sessions": (Klass.STATUS, ()),
    "command staff add": (Klass.CHANGE, ("staff:added",)),
    "command staff roles": (Klass.CHANGE, ("staff:roles_changed",)),
    "command staff close": (Klass.CHANGE, ("staff:closed", "staff_session:revoked")),
    "command staff sign-out": (Klass.CHANGE, ("staff_session:revoked",)),
}
