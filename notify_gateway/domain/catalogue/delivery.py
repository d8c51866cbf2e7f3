# SPDX-License-Identifier: MIT
"""Errors of delivery: the authorities on the service, their keys, their deliveries."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.AUTHORITY_NOT_SERVED,
        title="The authority is not on the service",
        why="The responsible authority does not receive notifications by this service.",
        fix="Send the notification to the authority by its own route.",
        status=422,
        issue="not-supported",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.AUTHORITY_WITHOUT_KEY,
        title="The authority cannot receive sealed notifications at present",
        why="The authority has no key in force, and nothing is kept that only it could open.",
        fix="Send the notification to the authority by its own route, or again later.",
        status=422,
        issue="not-supported",
        rec="REC_UNPROCESSABLE_ENTITY",
        retry=True,
    ),
    Entry(
        code=Code.DELIVERY_UNKNOWN,
        title="There is no such delivery",
        why="No delivery of your authority has this id.",
        fix="Check the id in the list of waiting deliveries.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.DELIVERY_STATE,
        title="The delivery is not in a state for this",
        why="Deliveries pass from state to state in one order.",
        fix="Read the delivery's state; the documentation shows the order.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.DELIVERY_DIGEST,
        title="The digest is not that of the delivery",
        why="Receipt is confirmed with the SHA-256 of the exact bytes handed over.",
        fix="Fetch the delivery again and confirm the digest of the bytes as received.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.REVEAL_REASON_MISSING,
        title="A reason is required",
        why="Identity is handed over only after a reason and a case reference are in the log.",
        fix="Send a reason code of the list and a case reference.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.KEY_NOT_HELD_HERE,
        title="The service cannot open this",
        why="The authority holds its key itself, or what was asked for has been erased.",
        fix="Open the delivery on the authority's own machine: notify-gateway authority open.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.OPENER_UNAVAILABLE,
        title="The opener does not answer",
        why="Identity in managed custody is opened by a process of its own, which is not running or does not answer.",
        fix="Try again in a minute; the operator should look at the opener's health.",
        status=503,
        issue="transient",
        rec="REC_UNAVAILABLE",
        retry=True,
    ),
)
