# SPDX-License-Identifier: MIT
"""Errors as a FHIR OperationOutcome: the catalogue's fixed words and FHIRPaths, and nothing of the message (BaRS error model)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notify_gateway.domain.catalogue import entry
from notify_gateway.domain.errors import Issue
from notify_gateway.fhir.names import BASE, ERROR_CODES, HTTP_ERROR_CODES

ERROR_PAGE = f"{BASE}/StructureDefinition/error-page"
"""Extension of an issue: where the service explains its code, relative to the address that answered."""


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return an OperationOutcome with one issue for each of ``issues``, in their order; raises ``KeyError`` for an unknown code."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues]}


def status_of(issues: Iterable[Issue]) -> int:
    """Return the HTTP status for ``issues``: that of the first."""
    return entry(next(iter(issues)).code).status


def _issue(issue: Issue) -> dict[str, Any]:
    known = entry(issue.code)
    told = {
        "extension": [{"url": ERROR_PAGE, "valueUri": f"/errors/{known.code.value}"}],
        "severity": "information" if known.issue == "informational" else "error",
        "code": known.issue,
        "details": {
            "coding": [
                {"system": HTTP_ERROR_CODES, "code": known.rec},
                {"system": ERROR_CODES, "code": known.code.value, "display": known.title},
            ]
        },
        "diagnostics": f"{known.title}. {known.why} {known.fix}",
    }
    return told if issue.expression is None else told | {"expression": [issue.expression]}
