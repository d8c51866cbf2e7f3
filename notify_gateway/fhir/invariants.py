# SPDX-License-Identifier: MIT
"""Invariants of FHIR R4 that span resources and that no model checks: bdl-1 to 4, bdl-7, bdl-12, references, pat-1, ppc-1, con-ver."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue
from notify_gateway.fhir.names import CLINICAL
from notify_gateway.fhir.survey import Link

_FULL_URL: Final = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOT_IN_MESSAGES: Final = ("request", "response", "search")
_CLINICAL_STATUSES: Final = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
_CONTACT_DETAILS: Final = frozenset({"name", "telecom", "address", "organization"})


def broken_invariants(document: dict[str, Any], links: Iterable[Link]) -> list[Issue]:
    """Return every broken invariant of a Bundle whose shape is already known to be right."""
    entries = document.get("entry", [])
    return [*_bundle(document, entries), *_full_urls(entries), *_references(entries, links), *_resources(entries)]


def _bundle(document: dict[str, Any], entries: list[dict[str, Any]]) -> Iterable[Issue]:
    if document.get("type") != "message":
        yield Issue(Code.NOT_A_MESSAGE, "Bundle.type")
    if "total" in document:
        yield Issue(Code.STRUCTURE, "Bundle.total")
    kinds = [_kind(entry) for entry in entries]
    if not kinds or kinds[0] != "MessageHeader":
        yield Issue(Code.HEADER_NOT_FIRST, "Bundle.entry[0].resource")
    for index, kind in enumerate(kinds):
        if index and kind == "MessageHeader":
            yield Issue(Code.HEADER_NOT_FIRST, f"Bundle.entry[{index}].resource")


def _full_urls(entries: list[dict[str, Any]]) -> Iterable[Issue]:
    uses = Counter(entry.get("fullUrl", "") for entry in entries)
    for index, entry in enumerate(entries):
        at = f"Bundle.entry[{index}]"
        full_url = entry.get("fullUrl", "")
        if uses[full_url] > 1 or _FULL_URL.fullmatch(full_url) is None:
            yield Issue(Code.FULL_URL, f"{at}.fullUrl")
        if "resource" not in entry:
            yield Issue(Code.ELEMENT_MISSING, f"{at}.resource")
        for name in _NOT_IN_MESSAGES:
            if name in entry:
                yield Issue(Code.STRUCTURE, f"{at}.{name}")


def _references(entries: list[dict[str, Any]], links: Iterable[Link]) -> Iterable[Issue]:
    kinds = {entry.get("fullUrl"): _kind(entry) for entry in entries}
    contained: dict[int, dict[str, str]] = {}
    for link in links:
        if link.reference.startswith("#"):
            if link.entry not in contained:
                contained[link.entry] = _contained_kinds(entries, link.entry)
            kind = contained[link.entry].get(link.reference[1:])
        else:
            kind = kinds.get(link.reference)
        if kind is None:
            yield Issue(Code.REFERENCE_UNRESOLVED, f"{link.at}.reference")
        elif (link.claimed not in (None, kind)) or (link.targets and kind not in link.targets and "Resource" not in link.targets):
            yield Issue(Code.REFERENCE_TYPE, f"{link.at}.reference")


def _contained_kinds(entries: list[dict[str, Any]], entry: int) -> dict[str, str]:
    """Return the types of what an entry contains, by id; none for a link whose place is not known."""
    contained = entries[entry].get("resource", {}).get("contained", []) if entry >= 0 else []
    return {item["id"]: item["resourceType"] for item in reversed(contained) if "id" in item}


def _resources(entries: list[dict[str, Any]]) -> Iterable[Issue]:
    for index, entry in enumerate(entries):
        at, resource = f"Bundle.entry[{index}].resource", entry.get("resource", {})
        if _kind(entry) == "Condition":
            codings = resource.get("clinicalStatus", {}).get("coding", [])
            if any(coding.get("system") == CLINICAL and coding.get("code") not in _CLINICAL_STATUSES for coding in codings):
                yield Issue(Code.CODE_NOT_IN_BINDING, f"{at}.clinicalStatus")
        if _kind(entry) == "Consent" and not {"policy", "policyRule"} & resource.keys():
            yield Issue(Code.ELEMENT_MISSING, f"{at}.policyRule")
        if _kind(entry) == "Patient":
            for number, contact in enumerate(resource.get("contact", [])):
                if not _CONTACT_DETAILS & contact.keys():
                    yield Issue(Code.ELEMENT_MISSING, f"{at}.contact[{number}]")


def _kind(entry: dict[str, Any]) -> str | None:
    kind: str | None = entry.get("resource", {}).get("resourceType")
    return kind
