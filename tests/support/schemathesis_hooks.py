# SPDX-License-Identifier: MIT
"""Lets schemathesis write and read NDJSON, which it does not know by itself."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/fhir+ndjson")
def write_lines(_context: Any, value: Any) -> bytes:
    """Send text as it is."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else str(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def read_lines(_context: Any, response: Any) -> str:
    """Take lines as one text; what is in them is proved elsewhere."""
    return bytes(response.content).decode()
