# SPDX-License-Identifier: MIT
"""Errors of access: who is calling, for which organisation, with which scope, how often."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.TOKEN_MISSING,
        title="No access token",
        why="The endpoint answers known systems only.",
        fix="Send the token in the header Authorization: Bearer.",
        status=401,
        issue="login",
        rec="SEND_UNAUTHORIZED",
    ),
    Entry(
        code=Code.TOKEN_UNKNOWN,
        title="The access token is not known",
        why="No token of this service matches the one sent.",
        fix="Check that the token was copied whole and belongs to this deployment; ask the service desk for a new one if need be.",
        status=401,
        issue="login",
        rec="SEND_UNAUTHORIZED",
    ),
    Entry(
        code=Code.TOKEN_EXPIRED,
        title="The access token has expired",
        why="Tokens are valid for a limited time.",
        fix="Get a new token and send the request again under the same X-Request-ID.",
        status=401,
        issue="expired",
        rec="SEND_UNAUTHORIZED",
    ),
    Entry(
        code=Code.TOKEN_REVOKED,
        title="The access token was revoked",
        why="The token was withdrawn by its organisation or by the service.",
        fix="Ask the person who manages the connection in your organisation.",
        status=401,
        issue="login",
        rec="SEND_UNAUTHORIZED",
    ),
    Entry(
        code=Code.SCOPE_MISSING,
        title="The token does not allow this",
        why="A token is good for the acts that its scopes name.",
        fix="Use a token with the scope that the endpoint documents.",
        status=403,
        issue="forbidden",
        rec="SEND_FORBIDDEN",
    ),
    Entry(
        code=Code.SENDER_MISMATCH,
        title="The sender is not the token's organisation",
        why="A system may notify only on behalf of the organisation that it is registered for.",
        fix="Make MessageHeader.sender the Organization whose ODS code your connection is registered for.",
        status=403,
        issue="forbidden",
        rec="SEND_FORBIDDEN",
    ),
    Entry(
        code=Code.FORM_NOT_OURS,
        title="The form did not come from this session",
        why="A form is taken only from the page that was shown to the same session, and from no other site.",
        fix="Open the page again, look at what it says now, and send its form.",
        status=403,
        issue="forbidden",
        rec="SEND_FORBIDDEN",
    ),
    Entry(
        code=Code.RATE_LIMITED,
        title="Too many requests",
        why="Each system has a rate, so that one cannot slow the others.",
        fix="Wait for the seconds in Retry-After, then send again under the same X-Request-ID.",
        status=429,
        issue="throttled",
        rec="SEND_TOO_MANY_REQUESTS",
        retry=True,
    ),
)
