# SPDX-License-Identifier: MIT
"""Walking through the JSON values of a message: every text, every reference, everything that gives a family away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def traces(document: dict[str, Any]) -> list[str]:
    """Return what identifies the family of a message: names, NHS number, date of birth, address, telephone numbers, words."""
    found: list[str] = []
    for resource in (entry["resource"] for entry in document["entry"]):
        if resource["resourceType"] in ("Patient", "RelatedPerson"):
            for name in resource["name"]:
                found += [name["family"], *name["given"]]
            found += [each["value"] for each in resource.get("telecom", ())]
        if resource["resourceType"] == "Patient":
            home = resource["address"][0]
            found += [each["value"] for each in resource["identifier"]]
            found += [resource["birthDate"], *(home[part] for part in ("postalCode", "text") if part in home), *home.get("line", ())]
        found += [each["contentString"] for each in resource.get("payload", ()) if "contentString" in each]
    return list(dict.fromkeys(found))


def with_new_ids(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with every UUID replaced by another, the same one everywhere by the same."""
    renewed: dict[str, str] = {}
    changed: dict[str, Any] = each_text(document, lambda text: _UUID.sub(lambda found: renewed.setdefault(found[0], str(uuid4())), text))
    return changed


def forget(value: Any, gone: str) -> None:
    """Take the references to an entry out of all lists, and the lists that this leaves empty out of what holds them."""
    if isinstance(value, list):
        value[:] = [item for item in value if not (isinstance(item, dict) and item.get("reference") == gone)]
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        forget(item, gone)
    if isinstance(value, dict):
        for name in [name for name, item in value.items() if item == []]:
            del value[name]


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Return the value with every string in it changed, the names of elements excepted."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {key: each_text(item, change) for key, item in value.items()}
    return value
