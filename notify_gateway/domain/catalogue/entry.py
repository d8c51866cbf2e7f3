# SPDX-License-Identifier: MIT
"""What the catalogue says of one error: fixed words only, never a value (BaRS diagnostics rule; FHIR R4 OperationOutcome)."""

from __future__ import annotations

from dataclasses import dataclass

from notify_gateway.domain.catalogue.codes import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One error, as the API, the pages and the documentation show it.

    ``why`` names the rule, ``fix`` what its reader should do, ``retry`` whether the very same request may succeed later;
    ``status`` is the HTTP status, ``issue`` the FHIR issue code and ``rec`` the code of the BaRS vocabulary
    (``https://fhir.nhs.uk/Codesystem/http-error-codes``).
    """

    code: Code
    title: str
    why: str
    fix: str
    status: int
    issue: str
    rec: str
    retry: bool = False
    since: str = "0.1.0"
