# SPDX-License-Identifier: MIT
"""Errors of the service itself: the fault is ours, and nothing of the message was kept."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.SERVER_ERROR,
        title="The service failed",
        why="Something went wrong on our side; nothing of the message was kept.",
        fix="Send again under the same X-Request-ID; tell the service desk the X-Correlation-ID if it stays.",
        status=500,
        issue="exception",
        rec="REC_SERVER_ERROR",
        retry=True,
    ),
    Entry(
        code=Code.DATABASE_UNAVAILABLE,
        title="The database is not available",
        why="Nothing is accepted that cannot be kept.",
        fix="Wait for the seconds in Retry-After, then send again under the same X-Request-ID.",
        status=503,
        issue="transient",
        rec="REC_UNAVAILABLE",
        retry=True,
    ),
    Entry(
        code=Code.LOG_BEHIND,
        title="The audit log is behind",
        why="Nothing is accepted whose entry in the log cannot be promised within the minute.",
        fix="Wait for the seconds in Retry-After, then send again under the same X-Request-ID.",
        status=503,
        issue="transient",
        rec="REC_UNAVAILABLE",
        retry=True,
    ),
    Entry(
        code=Code.LOG_STOPPED,
        title="The audit log is not being signed",
        why="The log does not continue what was signed before, or it was closed: nothing is accepted or disclosed.",
        fix="Send again later under the same X-Request-ID. The operator reads why in /_status and in the drill for restoring.",
        status=503,
        issue="transient",
        rec="REC_UNAVAILABLE",
        retry=True,
    ),
    Entry(
        code=Code.TIMEOUT,
        title="The request took too long",
        why="The service stops a request that exceeds its time; nothing of it was kept.",
        fix="Send again under the same X-Request-ID.",
        status=408,
        issue="timeout",
        rec="REC_TIMEOUT",
        retry=True,
    ),
    Entry(
        code=Code.QUARANTINED,
        title="The message holds identity where only codes belong",
        why="An identifier of the child stands in a coded element that leaves the sealed part.",
        fix="Put names, numbers and words only in the elements meant for them, and send again.",
        status=422,
        issue="security",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.OVERLOADED,
        title="The service is at its limit",
        why="Requests wait in a bounded queue, and it is full.",
        fix="Wait for the seconds in Retry-After, then send again under the same X-Request-ID.",
        status=503,
        issue="transient",
        rec="REC_UNAVAILABLE",
        retry=True,
    ),
)
