# SPDX-License-Identifier: MIT
"""The body of a FHIR ``$validate``: the resource itself, or Parameters that hold it (FHIR R4, Resource/$validate)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_NAMED: Final = b'"Parameters"'
MOST_PARTS: Final = 300_000
"""More braces, brackets and commas than any message has that is within the limits; beyond, reading would only cost time."""
_RESOURCE: Final = re.compile(r'"resource"\s*:\s*(?=\{)')


def resource_within(body: bytes) -> bytes:
    """Return the bytes of the one ``resource`` parameter of Parameters, exactly as they stand; any other body is returned as it is.

    The bytes are judged like those that would be sent: what is wrong with them is not put right by having been read here. Never raises.
    """
    if _NAMED not in body or sum(map(body.count, (b"{", b"[", b","))) > MOST_PARTS:
        return body
    try:
        text = body.decode("utf-8")
        wanted = _the_resource(json.loads(text))
        if wanted is None:
            return body
        start, spelt = 0, json.dumps(wanted)
        # Its place is found by what stands there, for other parameters may hold resources too; each is read once and passed over.
        while found := _RESOURCE.search(text, start):
            value, start = json.JSONDecoder().raw_decode(text, found.end())
            if json.dumps(value) == spelt:  # spelt out, for what is no number does not equal itself
                return text[found.end() : start].encode()
    except (ValueError, RecursionError):
        return body
    return body


def _the_resource(document: Any) -> dict[str, Any] | None:
    if not isinstance(document, dict) or document.get("resourceType") != "Parameters":
        return None
    parameters = document.get("parameter")
    if not isinstance(parameters, list):
        return None
    named = [each for each in parameters if isinstance(each, dict) and each.get("name") == "resource"]
    if len(named) != 1 or not isinstance(named[0].get("resource"), dict):
        return None
    resource: dict[str, Any] = named[0]["resource"]
    return resource
