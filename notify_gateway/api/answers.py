# SPDX-License-Identifier: MIT
"""The front door's answers as FHIR: what was accepted, with its promise and proof."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from notify_gateway.fhir import names
from notify_gateway.use_cases.accept import Accepted

ACCEPTANCE = f"{names.BASE}/StructureDefinition/acceptance"


def acceptance_outcome(accepted: Accepted, *, promise: str, receipt: str | None) -> dict[str, Any]:
    """Return an informational OperationOutcome.

    Its ``acceptance`` extension holds the reference, the authority, the leaf of the log (base64), the signed promise and, if it was waited
    for, the receipt: all that the sender needs to verify offline, now or later, that its notification stands in the log.
    """
    proofs: list[dict[str, str]] = [
        {"url": "reference", "valueString": accepted.reference},
        {"url": "authority", "valueCode": accepted.authority},
        {"url": "leaf", "valueBase64Binary": b64encode(accepted.leaf).decode()},
        {"url": "promise", "valueString": promise},
    ]
    if receipt is not None:
        proofs.append({"url": "receipt", "valueString": receipt})
    return {
        "resourceType": "OperationOutcome",
        "extension": [{"url": ACCEPTANCE, "extension": proofs}],
        "issue": [
            {
                "severity": "information",
                "code": "informational",
                "details": {"text": f"Accepted as {accepted.reference} for authority {accepted.authority}"},
                "diagnostics": "Kept and queued for delivery. The Task in Location tells what becomes of it.",
            }
        ],
    }
