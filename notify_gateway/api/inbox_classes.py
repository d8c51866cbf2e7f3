# SPDX-License-Identifier: MIT
"""Classes of what an authority's people do on the pages of the inbox: the class, and the events that it always leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audit.vocabulary import Klass

_CASE: Final = "/notifications/{reference}"
_LOOKING: Final = (
    # What these show, without identity, was offered to the authority before; that it was is in the log.
    *("/inbox", "/inbox/overdue", "/inbox/assign", "/inbox/duplicates", "/inbox/duplicates/{pair_id}"),
    *(_CASE, *(f"{_CASE}/{form}" for form in ("acknowledge", "assign", "contacts/new", "contacts/{contact_id}", "outcome", "reopen"))),
    *(f"{_CASE}/{form}" for form in ("transfer", "question", "extend", "duplicate", "identity/original")),
    *("/team", "/team/settings", "/team/members/{member_id}/leave"),
)
_SAID: Final = ("/help", "/privacy", "/accessibility", "/nonprod/components")
ROWS: Final[Mapping[str, tuple[Klass, tuple[str, ...]]]] = {
    **dict.fromkeys((f"GET {path}" for path in _SAID), (Klass.PUBLIC, ())),
    **dict.fromkeys((f"GET {path}" for path in _LOOKING), (Klass.STATUS, ())),
    "POST /inbox/notices": (Klass.CHANGE, ("case:notice_dismissed",)),
    "POST /inbox/assign": (Klass.CHANGE, ("case:assigned",)),
    "POST /inbox/duplicates/{pair_id}": (Klass.CHANGE, ("case:pair_decided",)),
    "POST /inbox/duplicates/{pair_id}/undo": (Klass.CHANGE, ("case:pair_undone",)),
    f"POST {_CASE}/take": (Klass.CHANGE, ("case:assigned",)),
    f"POST {_CASE}/close": (Klass.CHANGE, ("case:closed",)),
    f"POST {_CASE}/acknowledge": (Klass.CHANGE, ("delivery:acknowledged",)),
    f"POST {_CASE}/assign": (Klass.CHANGE, ("case:assigned",)),
    f"POST {_CASE}/assign/undo": (Klass.CHANGE, ("case:unassigned",)),
    f"POST {_CASE}/contacts/new": (Klass.CHANGE, ("case:contact",)),
    f"POST {_CASE}/contacts/{{contact_id}}": (Klass.CHANGE, ("case:contact_corrected",)),
    f"POST {_CASE}/outcome": (Klass.CHANGE, ("case:outcome", "delivery:outcome")),
    f"POST {_CASE}/reopen": (Klass.CHANGE, ("case:reopened",)),
    f"POST {_CASE}/transfer": (Klass.CHANGE, ("delivery:returned",)),
    f"POST {_CASE}/question": (Klass.CHANGE, ("delivery:questioned",)),
    f"POST {_CASE}/question/take-back": (Klass.CHANGE, ("delivery:question_closed",)),
    f"POST {_CASE}/extend": (Klass.CHANGE, ("case:extended",)),
    f"POST {_CASE}/duplicate": (Klass.CHANGE, ("case:linked",)),
    # The reason comes first and opens nothing; each look is opened anew.
    f"POST {_CASE}/identity": (Klass.DISCLOSE, ("reveal:granted",)),
    f"GET {_CASE}/identity": (Klass.DISCLOSE, ("reveal:used", "opening:attempted", "envelope:opened")),
    f"POST {_CASE}/identity/hide": (Klass.CHANGE, ("reveal:ended",)),
    f"POST {_CASE}/identity/original": (Klass.DISCLOSE, ("reveal:granted", "reveal:used", "opening:attempted", "envelope:opened")),
    "POST /team/settings": (Klass.CHANGE, ("inbox:changed",)),
    "POST /team/members/{member_id}/leave": (Klass.CHANGE, ("staff:away",)),
}
