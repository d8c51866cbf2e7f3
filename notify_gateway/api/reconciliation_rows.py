# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: the daily reconciliation file."""

from __future__ import annotations

from notify_gateway.api.openapi import Answer, Endpoint
from notify_gateway.domain.catalogue import Code
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, TRUST_SCOPE

_OWN = (TRUST_SCOPE, AUTHORITY_SCOPE)
_DAY = {"day": {"type": "string", "format": "date", "description": "A day in London, not one to come."}}
_NO_DAY = {404: (Code.RECONCILIATION_DAY,), 410: (Code.LOG_ENTRIES_DELETED,)}

RECONCILIATION = {
    ("GET", "/reconciliation/{day}"): Endpoint(
        "problem",
        {200: Answer("What happened to the caller's own deliveries, and the sums.", "Reconciliation")},
        (404, 410),
        scope=_OWN,
        codes=_NO_DAY,
        parameters=_DAY,
    ),
    ("GET", "/reconciliation/{day}.csv"): Endpoint(
        "problem",
        {200: Answer("The same as CSV, with the same columns on every line.", media="text/csv")},
        (404, 410),
        scope=_OWN,
        codes=_NO_DAY,
        parameters=_DAY,
    ),
}
