# SPDX-License-Identifier: MIT
"""Errors of erasing, and of legal holds that forbid it; seen by those who run the service."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.ERASURE_HELD,
        title="The notification is under a legal hold",
        why="What a court, an inquiry or a review may need is not erased while the hold is in force.",
        fix="Look at notify-gateway hold list; two people end a hold with notify-gateway hold release.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.ERASURE_DELIVERY_OPEN,
        title="A delivery of the notification is still open",
        why="The law wants the authority told; once the identity is erased, a delivery that waits could tell it nothing.",
        fix="Let the delivery be received first, or erase with --cancel-open, which cancels it.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.CASE_REFERENCE,
        title="A case reference is required",
        why="The log says under which case something was erased or held, by a reference and never in words, for words may name people.",
        fix="Give the case's reference: up to 40 letters, digits, hyphens, underscores and slashes, beginning with a letter or digit.",
        status=422,
        issue="value",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.HOLD_UNKNOWN,
        title="There is no such hold in force",
        why="The notification has no legal hold of this case that has not been ended.",
        fix="Look the case's reference up with notify-gateway hold list.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.HOLD_SECOND_PERSON,
        title="Whoever proposed to end the hold cannot end it",
        why="Ending a legal hold takes two people, each with an account of their own on this system.",
        fix="Let somebody else run the same command.",
        status=403,
        issue="forbidden",
        rec="REC_FORBIDDEN",
    ),
)
