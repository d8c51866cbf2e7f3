# SPDX-License-Identifier: MIT
"""Errors of those who follow or read the audit log."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.LOG_TILE_UNKNOWN,
        title="There is no such tile",
        why="The path names no tile of the signed log: its form is wrong, or the log has not grown that far.",
        fix="Read /log/checkpoint first; its size says which tiles there are, and how wide the last one is (c2sp.org/tlog-tiles).",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
        retry=False,
    ),
    Entry(
        code=Code.LOG_SIZES,
        title="There is no proof between these sizes",
        why="A proof of consistency leads from a log of at least one entry to one at least as large that was signed already.",
        fix="Give from and to as whole numbers with 0 < from <= to, to no larger than the size in /log/checkpoint.",
        status=400,
        issue="value",
        rec="REC_BAD_REQUEST",
        retry=False,
    ),
    Entry(
        code=Code.AUDIT_EVENT_UNKNOWN,
        title="There is no such AuditEvent",
        why="No entry of the signed log has this id, or the entry has no meaning in FHIR; a new entry is signed within seconds.",
        fix="Search AuditEvent by date or by notification. The export holds every entry, also those that are no AuditEvent.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
        retry=False,
    ),
    Entry(
        code=Code.LOG_TIMESTAMP_UNKNOWN,
        title="There is no such time stamp",
        why="No time-stamping authority is set, none was asked yet, or the checkpoint of this size was not stamped; one a day is.",
        fix="Ask without size for the newest. If there is none, verify what witnesses have cosigned instead: /log/checkpoint.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
        retry=False,
    ),
    Entry(
        code=Code.LOG_CHECKPOINT_UNKNOWN,
        title="There is no checkpoint of this size",
        why="The log signs many entries at a time, and so not every size; or it has not grown that far.",
        fix="Ask without size for the newest checkpoint, or take a size that a time stamp or a receipt names.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
        retry=False,
    ),
    Entry(
        code=Code.RECONCILIATION_DAY,
        title="There is no reconciliation file of this day",
        why="A file is of one day in London, written YYYY-MM-DD, that has begun.",
        fix="Ask for today or an earlier day. Today's file says that it is not complete; ask again after midnight.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
        retry=False,
    ),
    Entry(
        code=Code.LOG_KEY_RETIRING,
        title="A key of the log is being rotated already",
        why="Two keys sign side by side while one takes over from the other, and never three.",
        fix="End the overlap first: notify-gateway keys retire log.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.LOG_KEY_NOT_RETIRING,
        title="No key of the log is being rotated",
        why="Only an older key beside which a newer one signs can be retired.",
        fix="Begin with notify-gateway keys rotate log.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
)
