# SPDX-License-Identifier: MIT
"""Errors of bringing organisations, keys and tokens on to the service; seen by those who run it."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.CLIENT_KNOWN,
        title="The organisation is registered already",
        why="An organisation is registered once, and may then have any number of tokens.",
        fix="Issue a token for it.",
        status=409,
        issue="duplicate",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.CLIENT_UNKNOWN,
        title="The organisation is not registered",
        why="Tokens are issued to registered organisations only.",
        fix="Register the organisation first.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.TOKEN_RECORD_UNKNOWN,
        title="There is no such live token",
        why="Only a token that exists and is not revoked can be revoked.",
        fix="Look the token's id up in the list of tokens.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.KEY_KNOWN,
        title="The key is registered already",
        why="A key belongs to one authority and is registered once.",
        fix="Nothing, if this is the key that was meant; otherwise make a new key.",
        status=409,
        issue="duplicate",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.KEY_UNKNOWN,
        title="There is no such live key",
        why="Only a key that is registered and not retired can be retired.",
        fix="Look the key's id up in the list of keys.",
        status=404,
        issue="not-found",
        rec="REC_NOT_FOUND",
    ),
    Entry(
        code=Code.ROUTE_UNUSABLE,
        title="The channel cannot be used with what was given",
        why="Each channel needs its own parts of a route, all of them and no other: webhook url; mesh mailbox and workflow; "
        "sftp host, port, user, host_key and folder; pull and inbox none.",
        fix="Give the parts that the authority has confirmed, each in its form; authorities register --help shows them.",
        status=422,
        issue="required",
        rec="REC_UNPROCESSABLE_ENTITY",
    ),
    Entry(
        code=Code.FINGERPRINT_DIFFERS,
        title="The fingerprint is not that of the key",
        why="A key is let in or retired, and a route changed, only after its fingerprint was compared outside the service.",
        fix="Let nothing in. Ask its owner, by a way that you know, to read the fingerprint out again; for a route, read it again.",
        status=409,
        issue="conflict",
        rec="REC_CONFLICT",
    ),
    Entry(
        code=Code.TWO_PEOPLE_NEEDED,
        title="This takes two people here",
        why="In a live deployment nobody alone decides who can read what is sent: an authority, its channel and its keys take two people.",
        fix="Propose it: notify-gateway authorities propose, or authorities key propose. A second person compares and approves.",
        status=403,
        issue="forbidden",
        rec="REC_FORBIDDEN",
    ),
)
