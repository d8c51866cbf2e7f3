# SPDX-License-Identifier: MIT
"""Errors of downloads and of paper; each is shown to an officer on a page."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.ROWS_TOO_MANY,
        title="Too many rows for one file",
        why="A file holds up to 20,000 rows, and these filters match more. A file with only some of them would look whole.",
        fix="Narrow the filters, for example by the days of arrival, and download each part.",
        status=422,
        issue="too-costly",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.PACK_SIZE,
        title="A pack holds 1 to 50 notifications",
        why="What a panel looks at is chosen on the list, and more than 50 sheets are more than one panel gets through.",
        fix="Go back to the list and tick the notifications that the panel is to look at.",
        status=422,
        issue="value",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.PAPER_NOT_MADE,
        title="The PDF could not be made",
        why="Sheets are set by a process of its own, which did not end in time, or lacks its libraries on this machine.",
        fix="Try again in a minute, or print the page itself. The operator finds what is missing with notify-gateway doctor.",
        status=503,
        issue="transient",
        rec="REC_UNAVAILABLE",
        retry=True,
    ),
)
