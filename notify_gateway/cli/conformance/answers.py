# SPDX-License-Identifier: MIT
"""What every answer of the service must keep to, whatever was sent: its ids, its form, and never a value of the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2

from notify_gateway.cli.examples.values import traces

_IDS = ("X-Request-ID", "X-Correlation-ID")
_SHORTEST = 5


def codes_of(response: httpx2.Response) -> list[str]:
    """Return the codes of the catalogue that an answer names: an OperationOutcome, or problem details."""
    try:
        document = response.json()
    except ValueError:
        return []
    if not isinstance(document, dict):
        return []
    codings = [coding for issue in document.get("issue", ()) for coding in issue.get("details", {}).get("coding", ())]
    named = [document.get("code"), *(coding.get("code") for coding in codings)]
    return list(dict.fromkeys(code for code in named if isinstance(code, str) and code.startswith("NG-")))


def faults_of(response: httpx2.Response, headers: Mapping[str, str | None], document: dict[str, Any]) -> list[str]:
    """Return what is wrong with an answer to a request with these headers about this message, apart from status and code."""
    return [*_of_ids(response, headers), *_of_form(response), *_of_discretion(response, document)]


def _of_ids(response: httpx2.Response, headers: Mapping[str, str | None]) -> list[str]:
    sent = {name: value for name in _IDS if (value := headers.get(name)) is not None and _is_uuid(value)}
    return [f"{name} is not echoed" for name, value in sent.items() if response.headers.get(name) != value]


def _of_form(response: httpx2.Response) -> list[str]:
    path, kind = response.request.url.path, response.headers.get("content-type", "").partition(";")[0]
    if not path.startswith("/fhir/") or "/.well-known/" in path:
        return []
    in_lines = path.endswith("/$process-messages") and response.status_code == 200
    if kind != ("application/x-ndjson" if in_lines else "application/fhir+json"):
        return [f"the content type is {kind or 'missing'}"]
    if response.status_code >= 400 and response.json().get("resourceType") != "OperationOutcome":
        return ["an error is no OperationOutcome"]
    return []


def _of_discretion(response: httpx2.Response, document: dict[str, Any]) -> list[str]:
    """Return a fault if the answer quotes something that identifies the family; short texts are no evidence."""
    found: list[Any] = []
    try:
        found = list(traces(document))
    except (KeyError, TypeError, IndexError, AttributeError):
        return []  # so spoilt that nobody can be told from it
    family = [trace for trace in found if isinstance(trace, str) and len(trace) >= _SHORTEST]
    said = response.text + str(response.headers)
    return ["the answer quotes the message"] if any(trace in said for trace in family) else []


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return len(text) == 36
