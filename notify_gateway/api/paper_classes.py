# SPDX-License-Identifier: MIT
"""Classes of what officers take away from the pages: the class, and the events that it always leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audit.vocabulary import Klass

_CASE: Final = "/notifications/{reference}"
_PRINTED: Final = ("/inbox/panel", "/inbox/panel.pdf", *(f"{_CASE}/{kind}" for kind in ("print", "notification.pdf")))
_COPIED: Final = (f"{_CASE}/parent-copy", f"{_CASE}/parent-copy.pdf")
_ROWS: Final = ("/inbox/rows.csv", "/inbox/rows.xlsx")
ROWS: Final[Mapping[str, tuple[Klass, tuple[str, ...]]]] = {
    **dict.fromkeys((f"GET {path}" for path in _ROWS), (Klass.DISCLOSE, ("download:attempted", "download:handed_over"))),
    **dict.fromkeys((f"GET {path}" for path in (*_PRINTED, *_COPIED)), (Klass.DISCLOSE, ("notification:printed",))),
    # Only reads what was ticked; the pack is the next page, and leaves an event for each notification in it.
    "POST /inbox/panel": (Klass.STATUS, ()),
}
